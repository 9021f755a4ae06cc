/** The commands of XKS proxies, as `main.ts` declares the others. Each loads its own code. @module */
import type { Command } from 'commander'
import type { createXksProxy, exportKey, revokeXksProxy, rotateCredential } from './xks-proxy.ts'

export function addXksProxyCommands(program: Command, configFile: () => string | undefined): void {
  const proxy = program
    .command('xks-proxy')
    .description('keep keys here for AWS KMS or another Trent, as their external key store proxy')
  proxy
    .command('create <name>')
    .description('create a proxy, and print its configuration file for the client')
    .option('--account <id>', 'the account of the keys (default: that of the settings)')
    .option('--region <name>', 'the Region of the keys (default: that of the settings)')
    .option(
      '--key <key...>',
      'key ids to export; `ID=encrypt`, `ID=decrypt` or `ID=none` limits one',
    )
    .option('--limits <file>', 'limits of all calls, a JSON or YAML file')
    .option('--json', 'answer in JSON')
    .action(async (name: string, options: Parameters<typeof createXksProxy>[2]) =>
      (await import('./xks-proxy.ts')).createXksProxy(configFile(), name, options),
    )
  proxy
    .command('list')
    .description('list the proxies, their credentials and their keys')
    .option('--json', 'answer in JSON')
    .action(async (options: { json?: true }) =>
      (await import('./xks-proxy.ts')).listXksProxies(configFile(), options),
    )
  proxy
    .command('export <proxy> <key>')
    .description('export a key, or change what it is exported for')
    .option('--usage <usage>', '`both`, `encrypt`, `decrypt` or `none`', 'both')
    .option('--json', 'answer in JSON')
    .action(async (id: string, key: string, options: Parameters<typeof exportKey>[3]) =>
      (await import('./xks-proxy.ts')).exportKey(configFile(), id, key, options),
    )
  proxy
    .command('rotate-credential <proxy>')
    .description('add a credential, and print the configuration file with it')
    .option('--limits <file>', 'limits of the calls with this credential, a JSON or YAML file')
    .option('--json', 'answer in JSON')
    .action(async (id: string, options: Parameters<typeof rotateCredential>[2]) =>
      (await import('./xks-proxy.ts')).rotateCredential(configFile(), id, options),
    )
  proxy
    .command('revoke <proxy>')
    .description('end a proxy, or one of its credentials or keys')
    .option('--credential <id>', 'only this credential')
    .option('--key <id>', 'only the export of this key')
    .option('--json', 'answer in JSON')
    .action(async (id: string, options: Parameters<typeof revokeXksProxy>[2]) =>
      (await import('./xks-proxy.ts')).revokeXksProxy(configFile(), id, options),
    )
}
