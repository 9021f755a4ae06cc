/**
 * Row tags: what binds each deciding row to this deployment, its place and its version.
 *
 * INVARIANT (bound rows): no column of a bound table (`BoundTable`) is believed before the tag over
 * all of them was checked. Whoever can write the database can take rows away or put an older row back
 * in its own place, and nothing more.
 * @module
 */
import { type CanonicalValue, canonicalRow } from '../crypto/canonical.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Page } from './page.ts'

export type RowKeyring = Pick<Keyring, 'tagRow' | 'checkRowTag'>

export const boundTables = [
  'accounts',
  'access_keys',
  'services',
  'users',
  'groups',
  'roles',
  'managed_policies',
  'oidc_providers',
  'keys',
  'clock_mark',
  'deleted_keys',
  'deleted_materials',
  'key_usage',
  'key_usage_tracking',
  'material_states',
  'aliases',
  'grants',
  'resource_counts',
  'audit_outbox',
  'outgoing_events',
  'trails',
  'audit_writers',
  'delivery_cursors',
  'delivery_files',
  'digest_chains',
  'digest_keys',
] as const

export type BoundTable = (typeof boundTables)[number]

/**
 * Called for each row whose tag failed, or that was removed although it must exist. `id` is its primary
 * key, joined by `/`.
 */
export type OnForgedRow = (table: BoundTable, id: string) => void

interface TaggedRow {
  readonly row_tag: Uint8Array
}

export interface BoundRows {
  readonly seal: <T extends object>(table: BoundTable, columns: T) => T & TaggedRow
  /** The row, or undefined, with a report, when it is not one that was sealed for its place. */
  readonly genuine: <T extends TaggedRow>(
    table: BoundTable,
    primaryKey: readonly string[],
    row: T | undefined,
  ) => T | undefined
  /** Reports a row that must exist and does not. */
  readonly missing: (table: BoundTable, primaryKey: readonly string[]) => void
}

/** Forged text is the forger's: a report of it is cut. */
const reportedIdMax = 512

export function createBoundRows(keyring: RowKeyring, onForgedRow: OnForgedRow): BoundRows {
  const report: BoundRows['missing'] = (table, primaryKey) =>
    onForgedRow(table, primaryKey.join('/').slice(0, reportedIdMax))
  return {
    seal(table, columns) {
      const canonical = canonicalColumns(table, columns)
      if (canonical === undefined) throw new TypeError(`a column of ${table} has no canonical form`)
      return { ...columns, row_tag: keyring.tagRow(canonical) }
    },
    genuine(table, primaryKey, row) {
      if (row === undefined) return undefined
      const { row_tag: tag, ...columns } = row
      const canonical = canonicalColumns(table, columns)
      const holds =
        canonical !== undefined && tag instanceof Uint8Array && keyring.checkRowTag(canonical, tag)
      if (holds) return row
      report(table, primaryKey)
      return undefined
    },
    missing: report,
  }
}

/**
 * A null column is left out, so that a column that is added later, null in the rows that exist, does
 * not undo their tags. Names are part of the bytes: no two rows that differ have the same.
 */
function canonicalColumns(table: BoundTable, columns: object): Uint8Array | undefined {
  const present: Record<string, CanonicalValue> = {}
  for (const [name, value] of Object.entries(columns)) {
    if (value === null) continue
    if (!isCanonical(value)) return undefined
    present[name] = value
  }
  return canonicalRow(table, present)
}

/** What the database holds may be of any type once somebody else has written it. */
function isCanonical(value: unknown): value is CanonicalValue {
  return typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array
}

/**
 * Bounds what one statement answers, and what is checked before others have their turn: a key's row can
 * hold 32 KiB of policy, which takes 0.1 ms to hash.
 */
const fetchedMaxDefault = 25

/**
 * One page of the rows that `accept` takes. Rows that it refuses do not shorten the page: a short page
 * means the end of the list, and a forged row must not hide those that follow it.
 */
export async function acceptedPage<Row, Accepted>(
  { after, limit }: Page,
  fetch: (after: string | undefined, limit: number) => Promise<readonly Row[]>,
  nameOf: (row: Row) => string,
  accept: (row: Row) => Accepted | undefined,
  /** Rows that one statement answers: more where rows are small, or nobody waits for the thread. */
  fetchedMax = fetchedMaxDefault,
): Promise<readonly Accepted[]> {
  const accepted: Accepted[] = []
  let last = after
  while (accepted.length < limit) {
    const wanted = Math.min(limit - accepted.length, fetchedMax)
    const rows = await fetch(last, wanted)
    for (const row of rows) {
      const record = accept(row)
      if (record !== undefined) accepted.push(record)
      last = nameOf(row)
    }
    if (rows.length < wanted) break
  }
  return accepted
}
