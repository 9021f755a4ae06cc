/**
 * The store's change that an audit record describes: its number in the record's member `trent.change`, and
 * its random id in `trent.changeId`. The store counts its changes from 1. A database that has lost changes
 * gives their numbers to other changes, which have other ids.
 * @module
 */

/**
 * No database loses more changes than this. The end of a journal is not signed, so whoever can write it can
 * name any number there. Going on without the changes skips their numbers, and numbers must be left.
 */
export const lostChangesMax = 2 ** 32

export interface RecordedChange {
  readonly seq: number
  readonly changeId: string
}

/** @param record one JSON object without line breaks */
export function withChange(record: string, { seq, changeId }: RecordedChange): string {
  const members = JSON.parse(record) as { readonly trent?: object } // written by Trent itself
  return JSON.stringify({ ...members, trent: { ...members.trent, change: seq, changeId } })
}

/** The number of the change in a parsed record; undefined if the record describes no change. */
export function changeNumberOf(record: unknown): number | undefined {
  return changeOf(record).seq
}

/** The id of the change in a parsed record. */
export function changeIdOf(record: unknown): string | undefined {
  return changeOf(record).changeId
}

/** The change in a parsed record; without members if the record describes no change. */
export function changeOf(record: unknown): Partial<RecordedChange> {
  const { trent } = Object(record) as { readonly trent?: unknown } // checked below
  const { change, changeId } = Object(trent) as Readonly<Record<string, unknown>>
  return {
    ...(typeof change === 'number' && Number.isSafeInteger(change) && { seq: change }),
    ...(typeof changeId === 'string' && { changeId }),
  }
}
