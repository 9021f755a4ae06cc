/** The table of commands, as a shell completes them. It is read from the declarations themselves. @module */
import type { Command } from 'commander'

/** What follows an option, or stands as an argument. */
export type Value =
  | { readonly kind: 'file' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** Nothing that a shell could know. */
  | { readonly kind: 'other' }

export interface CompletedOption {
  /** `--json` */
  readonly flag: string
  readonly description: string
  /** Absent if it takes none. */
  readonly value?: Value
}

export interface CompletedCommand {
  /** `account update`; empty for `trent` itself. Letters, hyphens and spaces only. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly CompletedOption[]
  /** What its arguments are, if it has any. */
  readonly argument?: Value
}

/** `trent` first, each command before those below it. */
export function completedCommands(
  command: Command,
  above: readonly string[] = [],
): CompletedCommand[] {
  const [argument] = command.registeredArguments
  const options = command.options.map((option): CompletedOption => ({
    flag: option.long ?? option.flags,
    description: option.description,
    ...((option.required || option.optional) && {
      value: valueOf(option.flags, option.argChoices),
    }),
  }))
  const here: CompletedCommand = {
    path: above.join(' '),
    commands: command.commands.map((each) => ({
      name: each.name(),
      description: each.description(),
    })),
    options: [...options, { flag: '--help', description: 'show the usage' }],
    ...(argument && { argument: valueOf(argument.name(), argument.argChoices) }),
  }
  const below = command.commands.flatMap((each) => completedCommands(each, [...above, each.name()]))
  return [here, ...below]
}

function valueOf(declared: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'choice', choices }
  return { kind: /\b(?:files?|path|directory)\b/.test(declared) ? 'file' : 'other' }
}

/** Options that take a value, with the command that they belong to. */
export function valuesOf(
  commands: readonly CompletedCommand[],
): readonly { readonly path: string; readonly flag: string; readonly value: Value }[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ flag, value }) => (value === undefined ? [] : [{ path, flag, value }])),
  )
}
