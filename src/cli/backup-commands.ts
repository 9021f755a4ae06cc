/** The commands of backups, as `main.ts` declares the others. Each loads its own code. @module */
import type { Command } from 'commander'
import type { takeBackup, verifyBackup } from './backup.ts'
import type { exportPublicKeys } from './export-public-keys.ts'
import type { restore } from './restore.ts'

export function addBackupCommands(program: Command, configFile: () => string | undefined): void {
  const backup = program
    .command('backup')
    .description('take a backup of the running server, encrypted to its seal')
    .argument('[file]', 'the new file; `-` is standard output')
    .option('--json', 'answer in JSON')
    .action(async (file: string | undefined, options: Parameters<typeof takeBackup>[2]) =>
      (await import('./backup.ts')).takeBackup(configFile(), file, options),
    )
  backup
    .command('verify <file>')
    .description('check a backup offline; `-` is standard input')
    .option('--open', 'also open the seal of the settings, and check the tag of every row')
    .option('--recovery', 'also open its recovery seal, and check the tag of every row')
    .option('--seal-key <file>', 'also open it with this key file, and check the tag of every row')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: Parameters<typeof verifyBackup>[2], command: Command) =>
      (await import('./backup.ts')).verifyBackup(configFile(), file, {
        ...options,
        // The command above has this option too, and takes it.
        ...command.optsWithGlobals(),
      }),
    )
  program
    .command('export-public-keys [directory]')
    .description('write the public keys of all asymmetric keys (default: JSON to standard output)')
    .option('--json', 'answer in JSON')
    .action(
      async (directory: string | undefined, options: Parameters<typeof exportPublicKeys>[2]) =>
        (await import('./export-public-keys.ts')).exportPublicKeys(
          configFile(),
          directory,
          options,
        ),
    )
  program
    .command('restore <file>')
    .description('restore a backup into an empty deployment, and take away what the log says')
    .option('--journal <directory...>', 'the journal of the lost server, to take away from')
    .option('--delivered <directory...>', 'delivered files, to take away from')
    .option('--accept-changes <numbers>', 'restore without these changes, such as 7,12-15')
    .option('--accept-resurrection', 'restore although deleted or revoked things may come back')
    .option('--recovery', 'open the recovery seal of the backup')
    .option('--seal-key <file>', 'open the seal of the backup with this key file')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: Parameters<typeof restore>[2]) =>
      (await import('./restore.ts')).restore(configFile(), file, options),
    )
}
