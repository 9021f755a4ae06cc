/**
 * Row tags, which bind each row that decides something to this deployment, its place and its
 * version.
 *
 * INVARIANT (bound rows): no column of a table with row tags is used before the tag over all
 * columns is verified. An attacker who can write the database can only delete rows, or put an older
 * version of a row back in its own place.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { type CanonicalValue, canonicalRow } from '../crypto/canonical.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Page } from './page.ts'
import type { BoundTable } from './schema/schema.ts'
import type { Table } from './schema/table.ts'

export type RowKeyring = Pick<Keyring, 'tagRow' | 'checkRowTag'>

/** Whether rows of the table carry a tag. */
export function isBound(table: Table): boolean {
  return 'row_tag' in table.columns
}

/**
 * Called for each row with a wrong tag, and for each missing row that must exist. `id` is its
 * primary key, joined by `/`.
 */
export type OnForgedRow = (table: BoundTable, id: string) => void

interface TaggedRow {
  readonly row_tag: Uint8Array
}

export interface BoundRows {
  /** @param row every column but the tag and a counter */
  readonly seal: <R extends object>(table: Table, row: R) => R & TaggedRow
  /**
   * Whether the tag of a row matches its table and its columns. If not, the row is reported under
   * `primaryKey`.
   */
  readonly isGenuine: (table: Table, row: object, primaryKey: readonly unknown[]) => boolean
  /** Reports a row that must exist and does not. */
  readonly missing: (table: Table, primaryKey: readonly unknown[]) => void
}

/** An attacker chooses the text of a forged row, so reports cut it. */
const reportedIdMax = 512

export function createBoundRows(keyring: RowKeyring, onForgedRow: OnForgedRow): BoundRows {
  const report: BoundRows['missing'] = ({ name }, primaryKey) =>
    // The table is one of the descriptors.
    onForgedRow(name as BoundTable, primaryKey.join('/').slice(0, reportedIdMax))
  return {
    seal(table, row) {
      const canonical = canonicalColumns(table, row)
      if (canonical === undefined) {
        throw new TypeError(`a column of ${table.name} has no canonical form`)
      }
      return { ...row, row_tag: keyring.tagRow(canonical) }
    },
    isGenuine(table, row, primaryKey) {
      const tag = 'row_tag' in row ? row.row_tag : undefined
      const canonical = canonicalColumns(table, row)
      const holds =
        canonical !== undefined && tag instanceof Uint8Array && keyring.checkRowTag(canonical, tag)
      if (!holds) report(table, primaryKey)
      return holds
    },
    missing: report,
  }
}

/**
 * The bytes that a tag covers: all columns but the tag itself and a counter, which is not known
 * when the tag is made. Leaves null columns out, so that a column added later, null in existing
 * rows, does not invalidate their tags. Names are part of the bytes, so different rows never have
 * the same bytes.
 */
function canonicalColumns({ name: table, columns }: Table, row: object): Uint8Array | undefined {
  const present: Record<string, CanonicalValue> = {}
  for (const [name, value] of Object.entries(row)) {
    if (value === null || name === 'row_tag' || columns[name]?.kind === 'counter') continue
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
 * Rows in the first statement of a page: a key's row can contain 32 KiB of policy, which takes 0.1 ms
 * to hash. While rows are checked quickly, each statement asks for twice as many as the one before.
 */
const fetchedFirst = 25
const fetchedMost = 200
/** Other calls have their turn after this many milliseconds of checking. */
const checkedMsMax = 2

/**
 * Returns one page of the rows that `accept` takes. Refused rows do not shorten the page: a short
 * page means the end of the list, and a forged row must not hide the rows after it.
 */
export async function acceptedPage<Row, Accepted>(
  { after, limit }: Page,
  fetch: (after: string | undefined, limit: number) => Promise<readonly Row[]>,
  nameOf: (row: Row) => string,
  accept: (row: Row) => Accepted | undefined,
  /** Rows in the first statement: more if rows are small, or nobody waits for the thread. */
  fetchedMax = fetchedFirst,
): Promise<readonly Accepted[]> {
  const accepted: Accepted[] = []
  let last = after
  let fetched = fetchedMax
  while (accepted.length < limit) {
    const wanted = Math.min(limit - accepted.length, fetched)
    const rows = await fetch(last, wanted)
    let since = performance.now()
    fetched = Math.max(fetchedMax, Math.min(2 * fetched, fetchedMost))
    for (const row of rows) {
      const record = accept(row)
      if (record !== undefined) accepted.push(record)
      last = nameOf(row)
      if (performance.now() - since < checkedMsMax) continue
      await setImmediate()
      since = performance.now()
      fetched = fetchedMax
    }
    if (rows.length < wanted) break
  }
  return accepted
}
