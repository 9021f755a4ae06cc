/**
 * Moves every row of an embedded database into an empty one in PostgreSQL, in one transaction: either
 * everything arrives, or nothing. On arrival each row is read back and compared, and its tag is checked.
 * @module
 */
import { type Kysely, sql } from 'kysely'
import { createBoundRows, isBound, type RowKeyring } from './bound-rows.ts'
import type { Database } from './database.ts'
import { everyTable, type Schema } from './schema/schema.ts'
import type { Table } from './schema/table.ts'
import {
  countersOf,
  insertRows,
  isEmptyTable,
  readTable,
  setCounter,
  type StoredRow,
} from './whole-tables.ts'

/** Nothing was moved. */
export class MoveRefused extends Error {}

export interface Move {
  /** Nobody else may change it. */
  readonly from: Kysely<Schema>
  readonly into: Database
  readonly keyring: RowKeyring
  /** Called for each batch, with the number of rows of the table that have arrived. */
  readonly onArrived: (table: string, rows: number) => void
  /** Called when everything has arrived, before the transaction commits. */
  readonly onComplete: () => Promise<void>
}

/**
 * @returns the number of rows
 * @throws {MoveRefused} if the target is not empty, or if a row arrived changed
 * @throws {OutcomeUnknown} if the commit has no answer. Any other failure leaves the target empty.
 */
export function moveRows({ from, into, keyring, onArrived, onComplete }: Move): Promise<number> {
  return into.query.transaction().execute(async (target) => {
    await requireEmpty(target, await deploymentOf(from))
    let moved = 0
    for (const table of everyTable) {
      moved += await copyTable(table, from, target, onArrived)
      await moveCounter(table, from, target)
    }
    for (const table of everyTable) await compareTable(table, from, target, keyring)
    await onComplete()
    return moved
  })
}

async function deploymentOf(query: Kysely<Schema>): Promise<string | undefined> {
  const found = await query
    .selectFrom('deployment')
    .select('deployment_id')
    .orderBy('id')
    .executeTakeFirst()
  return found?.deployment_id
}

async function requireEmpty(target: Kysely<Schema>, moved: string | undefined): Promise<void> {
  const found = await deploymentOf(target)
  if (found !== undefined && found === moved) {
    throw new MoveRefused(
      'the database holds this deployment already: start the server with the same settings',
    )
  }
  if (found !== undefined) {
    throw new MoveRefused(`the database holds another deployment, ${found}: name an empty one`)
  }
  // The first migration inserts the row of the first change.
  await target.deleteFrom('change_head').where('seq', '=', 0).execute()
  for (const table of everyTable) {
    if (await isEmptyTable(target, table)) continue
    throw new MoveRefused(`the database is not empty, ${table.name} has rows: name an empty one`)
  }
}

async function copyTable(
  table: Table,
  from: Kysely<Schema>,
  target: Kysely<Schema>,
  onArrived: Move['onArrived'],
): Promise<number> {
  let arrived = 0
  for await (const page of readTable(from, table)) {
    await insertRows(target, table, page)
    arrived += page.length
    onArrived(table.name, arrived)
  }
  return arrived
}

/** A counter never gives a number twice, also not the number of a row that is deleted. */
async function moveCounter(
  table: Table,
  from: Kysely<Schema>,
  target: Kysely<Schema>,
): Promise<void> {
  for (const column of countersOf(table)) {
    const { rows } = await sql<{ readonly seq: number }>`
      SELECT seq FROM sqlite_sequence WHERE name = ${table.name}`.execute(from)
    await setCounter(target, table, column, rows[0]?.seq ?? 0)
  }
}

async function compareTable(
  table: Table,
  from: Kysely<Schema>,
  target: Kysely<Schema>,
  keyring: RowKeyring,
): Promise<void> {
  const rows = createBoundRows(keyring, () => undefined)
  const differs = (row: StoredRow | undefined): MoveRefused => {
    const name = table.primaryKey.map((column) => String(row?.[column])).join('/')
    return new MoveRefused(`row ${name} of ${table.name} did not arrive as it was sent`)
  }
  const arrivals = readTable(target, table)
  for await (const sent of readTable(from, table)) {
    // Pages have a fixed number of rows, and both sides order them in the same way.
    const arrived = (await arrivals.next()).value ?? []
    for (const [index, row] of sent.entries()) {
      const other = arrived[index]
      if (other === undefined || !isSame(table, row, other)) throw differs(row)
      if (isBound(table) && !rows.isGenuine(table, other, [])) throw differs(row)
    }
    if (arrived.length > sent.length) throw differs(arrived.at(-1))
  }
  const more = await arrivals.next()
  if (more.done !== true) throw differs(more.value[0])
}

function isSame({ columns }: Table, one: StoredRow, other: StoredRow): boolean {
  return Object.keys(columns).every((column) => {
    const [first, second] = [one[column], other[column]]
    if (first instanceof Uint8Array && second instanceof Uint8Array) {
      return Buffer.compare(first, second) === 0
    }
    return first === second
  })
}
