/**
 * The number of the store's change that an audit record describes, in the record's member
 * `trent.change`. The store counts its changes from 1.
 * @module
 */

/** @param record one JSON object without line breaks */
export function withChangeNumber(record: string, change: number): string {
  const members = JSON.parse(record) as { readonly trent?: object } // written by Trent itself
  return JSON.stringify({ ...members, trent: { ...members.trent, change } })
}

/**
 * The change number in a parsed record; undefined if the record describes no change, or an earlier
 * version wrote it.
 */
export function changeNumberOf(record: unknown): number | undefined {
  const { trent } = Object(record) as { readonly trent?: unknown } // checked below
  const { change } = Object(trent) as { readonly change?: unknown }
  return typeof change === 'number' && Number.isSafeInteger(change) ? change : undefined
}
