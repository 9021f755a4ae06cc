/**
 * The file of an embedded database that was moved to PostgreSQL. It gets another name, so that no start
 * uses it next to the database that it became.
 *
 * INVARIANT (one of two): the file has its other name before the rows are committed in PostgreSQL. So at
 * each moment at most one of the two databases can be started.
 * @module
 */
import { existsSync } from 'node:fs'

export function movedName(path: string): string {
  return `${path}.moved`
}

/** Whether a file was moved, or is being moved: `trent migrate` can go on with it. */
export function isMoved(path: string): boolean {
  return !existsSync(path) && existsSync(movedName(path))
}
