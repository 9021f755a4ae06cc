/**
 * Row tags, which bind each row that decides something to this deployment, its place and its
 * version.
 *
 * INVARIANT (bound rows): no column of a bound table (`BoundTable`) is used before the tag over all
 * columns is verified. An attacker who can write the database can only delete rows, or put an older
 * version of a row back in its own place.
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
  'change_log',
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
 * Called for each row with a wrong tag, and for each missing row that must exist. `id` is its
 * primary key, joined by `/`.
 */
export type OnForgedRow = (table: BoundTable, id: string) => void

interface TaggedRow {
  readonly row_tag: Uint8Array
}

export interface BoundRows {
  readonly seal: <T extends object>(table: BoundTable, columns: T) => T & TaggedRow
  /**
   * Returns the row; undefined, after a report, if its tag does not match its place and columns.
   */
  readonly genuine: <T extends TaggedRow>(
    table: BoundTable,
    primaryKey: readonly string[],
    row: T | undefined,
  ) => T | undefined
  /** Reports a row that must exist and does not. */
  readonly missing: (table: BoundTable, primaryKey: readonly string[]) => void
}

/** An attacker chooses the text of a forged row, so reports cut it. */
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
 * Leaves null columns out, so that a column added later, null in existing rows, does not invalidate
 * their tags. Names are part of the bytes, so different rows never have the same bytes.
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

/** Values may be of any type if someone else wrote the database. */
function isCanonical(value: unknown): value is CanonicalValue {
  return typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array
}

/**
 * Bounds the result of one statement, and the rows checked before other callers have their turn. A
 * key's row can contain 32 KiB of policy, which takes 0.1 ms to hash.
 */
const fetchedMaxDefault = 25

/**
 * Returns one page of the rows that `accept` takes. Refused rows do not shorten the page: a short
 * page means the end of the list, and a forged row must not hide the rows after it.
 */
export async function acceptedPage<Row, Accepted>(
  { after, limit }: Page,
  fetch: (after: string | undefined, limit: number) => Promise<readonly Row[]>,
  nameOf: (row: Row) => string,
  accept: (row: Row) => Accepted | undefined,
  /** Rows in one statement: more if rows are small, or nobody waits for the thread. */
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
