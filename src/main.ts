/**
 * The command `trent`. Only this file has effects when imported. Each command loads its own code, so
 * that none pays for the others.
 * @module
 */
import { Argument, Command, Option } from 'commander'
import { addRootKeyCommands } from './cli/root-key-commands.ts'
import { addNodeCommands } from './cli/node-commands.ts'
import { addBackupCommands } from './cli/backup-commands.ts'
import { addCheckCommands } from './cli/check-commands.ts'
import { addBreakGlassCommands } from './cli/break-glass-commands.ts'
import { addXksProxyCommands } from './cli/xks-proxy-commands.ts'
import { collectLevel } from './cli/organization-options.ts'
import type { acceptLostChanges } from './cli/accept-loss.ts'
import type { createAccount, listAccounts, updateAccount } from './cli/account.ts'
import type { ApplyOptions } from './cli/apply.ts'
import type { acceptClock } from './cli/clock.ts'
import type { certificate } from './cli/certificate.ts'
import type { Shell } from './cli/completion.ts'
import type { convertLocalKms } from './cli/convert-local-kms.ts'
import type { explain } from './cli/explain.ts'
import type { keyUsage } from './cli/key-usage.ts'
import type { serve } from './cli/serve.ts'
import type { quotas } from './cli/quotas.ts'
import type { init, unseal } from './cli/seal-commands.ts'
import type { deregisterService, listServices, registerService } from './cli/service.ts'
import type { usage } from './cli/usage.ts'
import type { whoCan } from './cli/who-can.ts'
import { explainRefusal, explainUsage } from './cli/usage-errors.ts'
import { version } from './version.ts'

// The environment holds secrets. A diagnostic report of Node would have them in plain text.
if (process.report) process.report.excludeEnv = true

const program = new Command('trent')
  .description('A key management service that anyone can run, wire-compatible with AWS KMS')
  .option('--config <file>', 'settings file (default: TRENT_CONFIG, then ./trent.env)')
  .version(`trent ${version} (Node.js ${process.version})`, '--version', 'show the version')

const configFile = (): string | undefined => program.opts<{ config?: string }>().config

program
  .command('serve')
  .description('run the server in the foreground')
  .addOption(
    new Option('--log <form>', 'lines for people (default on a terminal), or JSON').choices([
      'lines',
      'json',
    ]),
  )
  .option('--build-console', "build the console's pages in the background if their sources changed")
  .action(async (options: Parameters<typeof serve>[1]) =>
    (await import('./cli/serve.ts')).serve(configFile(), options),
  )
program
  .command('status')
  .description('show the state of the running server')
  .option('--json', 'answer in JSON')
  .action(async (options: { json?: true }) =>
    (await import('./cli/status.ts')).status(configFile(), options),
  )
program
  .command('init')
  .description('create the root key under the seal of the settings, and print its shares')
  .option('--shares <number>', 'number of shares, 2 to 16 (default: 5)')
  .option('--threshold <number>', 'number of shares that open the seal (default: 3)')
  .option('--no-recovery', 'no recovery seal for a seal that opens by itself')
  .option('--passphrase-file <file>', 'instead of asking; `-` is standard input')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof init>[1]) =>
    (await import('./cli/seal-commands.ts')).init(configFile(), options),
  )
program
  .command('unseal')
  .description('give one share or the passphrase to a sealed server')
  .option('--from <file>', 'instead of asking; `-` is standard input')
  .option('--url <url>', 'the port for unsealing of another machine: https://HOST:PORT')
  .option('--cacert <file>', 'authorities of its certificate, in PEM')
  .option('--cert <file>', 'your certificate, in PEM')
  .option('--key <file>', 'the key of your certificate, in PEM')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof unseal>[1]) =>
    (await import('./cli/seal-commands.ts')).unseal(configFile(), options),
  )
addRootKeyCommands(program, configFile)
addBackupCommands(program, configFile)
addBreakGlassCommands(program, configFile)
addNodeCommands(program, configFile)
addCheckCommands(program, configFile)
addXksProxyCommands(program, configFile)
program
  .command('certificate')
  .description('make a local authority and a TLS certificate for the server, or renew it')
  .option('--directory <path>', 'where the files are', 'tls')
  .option('--name <name...>', 'DNS names and addresses, besides those of this machine')
  .option('--days <number>', 'validity of the certificate, 1 to 825', '365')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof certificate>[0]) =>
    (await import('./cli/certificate.ts')).certificate(options),
  )
const account = program.command('account').description('the accounts of the deployment')
account
  .command('create')
  .description('create an account, and print the access key of its root user')
  .option('--id <id>', 'twelve digits (default: random)')
  .option('--org <id>', 'its organisation: o-…')
  .option('--ou <path>', 'its path in the organisation: r-…/ou-…')
  .option(
    '--scp <files>',
    'service control policies of one level; repeat for each level',
    collectLevel,
  )
  .option('--rcp <files>', 'resource control policies', collectLevel)
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof createAccount>[1]) =>
    (await import('./cli/account.ts')).createAccount(configFile(), options),
  )
account
  .command('update <id>')
  .description('set the organisation of an account, and its policies')
  .option('--org <id>', 'its organisation: o-…')
  .option('--no-org', 'leave the organisation')
  .option('--ou <path>', 'its path in the organisation: r-…/ou-…')
  .option(
    '--scp <files>',
    'service control policies of one level; repeat for each level',
    collectLevel,
  )
  .option('--no-scp', 'remove all service control policies')
  .option('--rcp <files>', 'resource control policies', collectLevel)
  .option('--no-rcp', 'remove all resource control policies')
  .option('--json', 'answer in JSON')
  .action(async (id: string, options: Parameters<typeof updateAccount>[2]) =>
    (await import('./cli/account.ts')).updateAccount(configFile(), id, options),
  )
account
  .command('list')
  .description('list all accounts')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof listAccounts>[1]) =>
    (await import('./cli/account.ts')).listAccounts(configFile(), options),
  )
const sessions = program.command('sessions').description('temporary credentials')
sessions
  .command('revoke <arn>')
  .description('revoke all sessions of this user or role issued so far')
  .option('--json', 'answer in JSON')
  .action(async (arn: string, options: { json?: true }) =>
    (await import('./cli/sessions.ts')).revokeSessions(configFile(), arn, options),
  )
const service = program
  .command('service')
  .description('services that use this one, such as s3.amazonaws.com')
service
  .command('register <name>')
  .description('register a service such as s3.amazonaws.com, and print its credentials')
  .requiredOption('--region <name>', 'the Region that it serves')
  .option('--host <host...>', 'the hosts of its endpoint (default: s3.<region>.amazonaws.com)')
  .option('--json', 'answer in JSON')
  .action(async (name: string, options: Parameters<typeof registerService>[2]) =>
    (await import('./cli/service.ts')).registerService(configFile(), name, options),
  )
service
  .command('list')
  .description('list all services')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof listServices>[1]) =>
    (await import('./cli/service.ts')).listServices(configFile(), options),
  )
service
  .command('deregister <name>')
  .description('revoke the credentials and all sessions of a service')
  .requiredOption('--region <name>', 'the Region that it serves')
  .option('--json', 'answer in JSON')
  .action(async (name: string, options: Parameters<typeof deregisterService>[2]) =>
    (await import('./cli/service.ts')).deregisterService(configFile(), name, options),
  )
program
  .command('usage')
  .description('show the usage and cost of a month')
  .option('--month <month>', 'such as 2026-11 (default: this month)')
  .option('--account <id>', 'one account (default: all)')
  .option('--by <group>', 'account, key, operation or tag:<key>', 'account')
  .option('--prices <list>', '2015, today, or a file in JSON', 'today')
  .option('--csv', 'answer in CSV')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof usage>[1]) =>
    (await import('./cli/usage.ts')).usage(configFile(), options),
  )
const clock = program.command('clock').description('the clock for key deletion and expiry')
clock
  .command('accept')
  .description('confirm the system clock after a leap; paused deletions resume')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof acceptClock>[1]) =>
    (await import('./cli/clock.ts')).acceptClock(configFile(), options),
  )
program
  .command('database')
  .description('the database of the deployment')
  .command('accept-loss')
  .description('show the changes that the database has lost, and go on without them')
  .option('--journal <directory...>', 'journals of other nodes')
  .option('--delivered <directory...>', 'archives of delivered files')
  .option('--yes', 'go on without them')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof acceptLostChanges>[1]) =>
    (await import('./cli/accept-loss.ts')).acceptLostChanges(configFile(), options),
  )
program
  .command('key-usage <key>')
  .description('show who used a key, from where, how often and when last')
  .option('--account <id>', 'twelve digits (default: the first account)')
  .option('--region <name>', 'default: the Region of the settings')
  .option('--from <time>', 'a day or a time (default: 90 days ago)')
  .option('--until <time>', 'a day or a time (default: now)')
  .option('--json', 'answer in JSON')
  .action(async (key: string, options: Parameters<typeof keyUsage>[2]) =>
    (await import('./cli/key-usage.ts')).keyUsage(configFile(), key, options),
  )
program
  .command('quotas')
  .description('show limits and their use')
  .option('--account <id>', 'twelve digits (default: the first account)')
  .option('--region <name>', 'default: the Region of the settings')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof quotas>[1]) =>
    (await import('./cli/quotas.ts')).quotas(configFile(), options),
  )
program
  .command('apply <file>')
  .description('make accounts match a file, completely or not at all; `-` is standard input')
  .option('--dry-run', 'show what would change, without changing it')
  .option('--prune', 'delete whatever the file omits from its accounts')
  .option('--json', 'answer in JSON')
  .action(async (file: string, options: ApplyOptions) =>
    (await import('./cli/apply.ts')).applyFile(configFile(), file, options),
  )
program
  .command('convert')
  .description('convert files of other servers for `trent apply`, to standard output')
  .command('local-kms <file>')
  .description('the seed.yaml of nsmithuk/local-kms')
  .option('--account <id>', 'KMS_ACCOUNT_ID there', '111122223333')
  .option('--region <name>', 'KMS_REGION there', 'eu-west-2')
  .action(async (file: string, options: Parameters<typeof convertLocalKms>[1]) =>
    (await import('./cli/convert-local-kms.ts')).convertLocalKms(file, options),
  )
program
  .command('explain')
  .description('explain a decision, and the smallest change that would reverse it')
  .option('--caller <arn>', 'a root user, a user, a role or a session of one')
  .option('--action <action>', 'kms:Decrypt')
  .option('--key <key>', 'id or ARN of a key, name or ARN of an alias')
  .option('--encryption-context <pair...>', 'name=value')
  .option('--context <pair...>', 'condition keys of the call: aws:SourceIp=192.0.2.1')
  .option('--grant <id>', 'the grant that kms:RetireGrant names')
  .option('--via <service>', 'the service that calls for the caller: s3.amazonaws.com')
  .option('--request <id>', 'a recorded call, by its request id')
  .option('--account <id>', 'the account of that record (default: all accounts)')
  .option('--region <name>', 'default: the Region of the settings')
  .option('--json', 'answer in JSON')
  .action(async (options: Parameters<typeof explain>[1]) =>
    (await import('./cli/explain.ts')).explain(configFile(), options),
  )
program
  .command('who-can <key> [action]')
  .description('list the users, roles and root users that can use a key, and why')
  .option('--account <id>', 'the key’s account, when no ARN names it (default: the first account)')
  .option('--region <name>', 'default: the Region of the settings')
  .option('--json', 'answer in JSON')
  .action(async (key: string, action: string | undefined, options: Parameters<typeof whoCan>[3]) =>
    (await import('./cli/who-can.ts')).whoCan(configFile(), key, action, options),
  )
program
  .command('migrate')
  .description('move a deployment to another database')
  .command('sqlite-to-postgres')
  .description('move trent.db of a stopped server into the empty database of TRENT_DATABASE_URL')
  .action(async () => (await import('./cli/migrate.ts')).migrateToPostgres(configFile()))

program
  .command('completion')
  .description('print what completes these commands in a shell')
  .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
  .action(async (shell: Shell) => (await import('./cli/completion.ts')).completion(program, shell))

explainUsage(program)
await program.parseAsync().catch(explainRefusal)
