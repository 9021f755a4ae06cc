/**
 * Which changes a database holds, as far back as its log of changes goes: compared by number and id, because
 * a database that went back gives lost numbers to other changes. Row tags are not checked.
 * @module
 */
import { lostChangesMax, type RecordedChange } from '../model/change-number.ts'
import { skippedAfter } from './tables/change-log.ts'

export interface StoredHistory {
  /** The number of the last change. */
  readonly head: number
  /** The first number in the log; absent if the log is empty. */
  readonly oldest: number | undefined
  /** Ids by number, from the number on that was asked for. */
  readonly ids: ReadonlyMap<number, string>
  /** Numbers after the first and up to the second one belong to no change: they were skipped. */
  readonly skipped: readonly (readonly [after: number, last: number])[]
  /** Ids of lost changes that an operator has accepted. */
  readonly accepted: ReadonlySet<string>
}

/** Whether the database lacks a change, and nobody has accepted that. */
export function lacks(
  { head, oldest, ids, skipped, accepted }: StoredHistory,
  { seq, changeId }: Partial<RecordedChange>,
): boolean {
  if (seq === undefined) return false
  // The end of a journal is not signed: a number that no database reaches is not believed.
  if (seq > head) return seq - head <= lostChangesMax
  if (changeId === undefined || oldest === undefined || seq < oldest) return false
  if (ids.get(seq) === changeId || accepted.has(changeId)) return false
  return !skipped.some(([after, last]) => seq > after && seq <= last)
}

type AnyRow = Readonly<Record<string, unknown>>

/** @param from the first number whose id is read */
export function historyStatements(from: number): Readonly<Record<keyof HistoryRows, string>> {
  if (!Number.isSafeInteger(from)) throw new TypeError('no number of a change')
  return {
    heads: 'SELECT seq FROM change_head WHERE id = 1',
    firsts: 'SELECT min(seq) AS seq FROM change_log',
    log: `SELECT seq, change_id, kind, id FROM change_log WHERE position = 0 AND seq >= ${from}`,
    accepted: 'SELECT change_id FROM lost_changes',
  }
}

interface HistoryRows {
  readonly heads: readonly AnyRow[]
  readonly firsts: readonly AnyRow[]
  readonly log: readonly AnyRow[]
  readonly accepted: readonly AnyRow[]
}

/** Values may be of any type: nothing has checked the rows. */
export function storedHistory({ heads, firsts, log, accepted }: HistoryRows): StoredHistory {
  const oldest = firsts[0]?.['seq']
  const skipped = log.flatMap(({ seq, kind, id }) => {
    const after = skippedAfter({ kind: String(kind), id: String(id) })
    return after === undefined ? [] : [[after, Number(seq)] as const]
  })
  return {
    head: Number(heads[0]?.['seq'] ?? 0),
    oldest: typeof oldest === 'number' ? oldest : undefined,
    ids: new Map(log.map((row) => [Number(row['seq']), String(row['change_id'])])),
    skipped,
    accepted: new Set(accepted.map((row) => String(row['change_id']))),
  }
}
