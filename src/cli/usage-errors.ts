/** What `trent` prints when it is called wrongly: the error, and the usage of that command alone. @module */
import type { Command } from 'commander'

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
