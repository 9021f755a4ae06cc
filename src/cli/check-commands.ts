/** The commands that check a deployment and its files: `doctor`, `verify-log`, `verify-database`. @module */
import type { Command } from 'commander'
import type { doctor } from './doctor.ts'
import type { verifyDatabaseCommand } from './verify-database.ts'
import type { verifyLogCommand } from './verify-log.ts'

export function addCheckCommands(program: Command, configFile: () => string | undefined): void {
  program
    .command('doctor')
    .description(
      'check what a start and calls need, and say what to do; exit status 0 if nothing failed',
    )
    .option('--json', 'answer in JSON')
    .action(async (options: Parameters<typeof doctor>[1]) =>
      (await import('./doctor.ts')).doctor(configFile(), options),
    )
  program
    .command('verify-log [directory]')
    .description('check the audit journal offline; exit status 0 only when it is whole')
    .option(
      '--key <fingerprint...>',
      'trust only these keys (default: the keys that the journal names)',
    )
    .option('--anchors <file...>', 'checkpoints kept elsewhere, from `trent status --json`')
    .option('--delivered <directory>', 'also check the delivered files in it')
    .option('--json', 'answer in JSON')
    .action(
      async (directory: string | undefined, options: Parameters<typeof verifyLogCommand>[2]) =>
        (await import('./verify-log.ts')).verifyLogCommand(configFile(), directory, options),
    )

  program
    .command('verify-database [file]')
    .description('check the database of a stopped server; exit status 0 only when it is whole')
    .option(
      '--seal-key <file>',
      'the key file that opens it (default: seal.key next to the database)',
    )
    .option('--json', 'answer in JSON')
    .action(
      async (file: string | undefined, options: Parameters<typeof verifyDatabaseCommand>[2]) =>
        (await import('./verify-database.ts')).verifyDatabaseCommand(configFile(), file, options),
    )
}
