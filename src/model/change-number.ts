/**
 * The number of a change in the record of it, as the member `trent.change`. Numbers are those of the store:
 * they count its changes from 1.
 * @module
 */

/** @param record one JSON object without line breaks */
export function withChangeNumber(record: string, change: number): string {
  const members = JSON.parse(record) as { readonly trent?: object } // written by Trent itself
  return JSON.stringify({ ...members, trent: { ...members.trent, change } })
}

/** The number in a record that was parsed; undefined for a record of no change, or of an earlier version. */
export function changeNumberOf(record: unknown): number | undefined {
  const { trent } = Object(record) as { readonly trent?: unknown } // checked below
  const { change } = Object(trent) as { readonly change?: unknown }
  return typeof change === 'number' && Number.isSafeInteger(change) ? change : undefined
}
