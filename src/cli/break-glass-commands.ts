/** `trent break-glass`, as `main.ts` declares the other commands. @module */
import type { Command } from 'commander'
import type { resetRoot, unlockKey } from './break-glass.ts'

export function addBreakGlassCommands(
  program: Command,
  configFile: () => string | undefined,
): void {
  const group = program
    .command('break-glass')
    .description('take back control in spite of every policy; sets off an alarm')
  group
    .command('unlock-key <arn>')
    .description('restore the default key policy of a key that locks everybody out')
    .option('--yes', 'do not ask')
    .option('--json', 'answer in JSON')
    .action(async (arn: string, options: Parameters<typeof unlockKey>[2]) =>
      (await import('./break-glass.ts')).unlockKey(configFile(), arn, options),
    )
  group
    .command('reset-root <account>')
    .description('end the credentials and sessions of an account’s root user, and print new ones')
    .option('--yes', 'do not ask')
    .option('--json', 'answer in JSON')
    .action(async (account: string, options: Parameters<typeof resetRoot>[2]) =>
      (await import('./break-glass.ts')).resetRoot(configFile(), account, options),
    )
}
