/** What `trent` prints when it is called wrongly: the error, and the usage of that command alone. @module */
import type { Command } from 'commander'
import { ConfigError } from '../config.ts'
import { visible } from '../model/visible.ts'

/** commander adds `(Did you mean …?)` itself. */
export function explainUsage(command: Command, names: readonly string[] = []): void {
  const called = [...names, command.name()]
  const words = called.join(' ')
  command.showHelpAfterError(
    `Usage: ${words} ${command.usage()}\n\`${words} --help\` shows ${
      command.commands.length > 0 ? 'its commands' : 'its options'
    }`,
  )
  for (const below of command.commands) explainUsage(below, called)
}

/** One line for what a command cannot use. Others may have written its words. */
export function explainRefusal(error: unknown): void {
  if (!(error instanceof ConfigError)) throw error
  process.stderr.write(`trent: ${visible(error.message)}\n`)
  process.exitCode = 1
}
