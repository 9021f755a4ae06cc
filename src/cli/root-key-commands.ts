/** The commands that seal or replace the root key, as `main.ts` declares the others. @module */
import type { Command } from 'commander'
import type { rotateRoot } from './rotate-root.ts'
import type { rekey, sealServer } from './seal-commands.ts'

export function addRootKeyCommands(program: Command, configFile: () => string | undefined): void {
  program
    .command('seal')
    .description('end the process that holds the keys')
    .option('--json', 'answer in JSON')
    .action(async (options: Parameters<typeof sealServer>[1]) =>
      (await import('./seal-commands.ts')).sealServer(configFile(), options),
    )
  program
    .command('rekey')
    .description('seal the root key anew; without options, give one share or the passphrase for it')
    .option(
      '--seal <seal>',
      'the new seal: file:PATH, passphrase, shamir, kms:ARN, pkcs11:… or tpm2',
    )
    .option('--recovery', 'a new recovery seal instead')
    .option('--shares <number>', 'number of shares, 2 to 16 (default: 5)')
    .option('--threshold <number>', 'number of shares that open the seal (default: 3)')
    .option('--from <file>', 'the share or passphrase, instead of asking; `-` is standard input')
    .option('--passphrase-file <file>', 'the new passphrase, instead of asking')
    .option('--cancel', 'delete a new seal that is not in force yet')
    .option('--json', 'answer in JSON')
    .action(async (options: Parameters<typeof rekey>[1]) =>
      (await import('./seal-commands.ts')).rekey(configFile(), options),
    )
  program
    .command('rotate-root')
    .description('make a new root key, and wrap everything anew under it in the background')
    .option('--shares <number>', 'number of new shares, 2 to 16 (default: 5)')
    .option('--threshold <number>', 'number of shares that open the seal (default: 3)')
    .option('--passphrase-file <file>', 'the new passphrase, instead of asking')
    .option('--no-recovery', 'do not make the recovery seal anew')
    .option('--retire', 'end the former root keys, once nothing is under them')
    .option('--end-sessions', 'with --retire: do not wait for the end of sessions under them')
    .option('--json', 'answer in JSON')
    .action(async (options: Parameters<typeof rotateRoot>[1]) =>
      (await import('./rotate-root.ts')).rotateRoot(configFile(), options),
    )
}
