/** Changes of a lost server, as commands name them to whoever must repeat or accept them. @module */
import type { LoggedChange } from '../backup/logged-changes.ts'

export interface ShownChange {
  readonly change: number
  readonly name: string
  /** ARNs */
  readonly resources: readonly string[]
  /** ISO 8601 */
  readonly time: string
}

/** Changes that the record of what was accepted names. */
export const recordedChangesMax = 100

export function shownChange({ change, name, arns, time }: LoggedChange): ShownChange {
  return { change, name, resources: arns, time }
}

/** Without a line break. */
export function changeLine({ change, name, resources, time }: ShownChange): string {
  return ['', change, time, [name, ...resources].join(' ')].join('  ')
}
