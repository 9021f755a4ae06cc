/** The cases by which bash and zsh follow a line of words. Both read the form `(PATTERN) …`. @module */
import { quoted } from '../shell-quoting.ts'
import { valuesOf, type CompletedCommand, type Value } from './table.ts'

export interface Cases {
  /** Patterns of an option whose value is the next word. */
  readonly valued: string
  /** One line for each command that a word leads to, from the command that it stands below. */
  readonly steps: string
  /** One line for each option with a value: what completes the value. */
  readonly values: string
}

/** @param completing what a shell does to complete such a value */
export function casesOf(
  commands: readonly CompletedCommand[],
  completing: (value: Value) => string,
): Cases {
  const values = valuesOf(commands)
  const steps = commands.flatMap(({ path, commands: below }) =>
    below.map(({ name }) => [`${path}|${name}`, `${path} ${name}`.trim()] as const),
  )
  return {
    valued: values.map(({ path, flag }) => quoted(`${path}|${flag}`)).join('|'),
    steps: steps.map(([word, at]) => `      (${quoted(word)}) at=${quoted(at)} ;;`).join('\n'),
    values: values
      .map(
        ({ path, flag, value }) => `      (${quoted(`${path}|${flag}`)}) ${completing(value)} ;;`,
      )
      .join('\n'),
  }
}
