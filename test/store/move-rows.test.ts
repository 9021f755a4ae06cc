/** Moving an embedded database into PostgreSQL: every kind of row, and every refusal. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { createBoundRows, isBound } from '../../src/store/bound-rows.ts'
import type { Database } from '../../src/store/database.ts'
import { type Move, MoveRefused, moveRows } from '../../src/store/move-rows.ts'
import { openDatabase } from '../../src/store/open.ts'
import { everyTable } from '../../src/store/schema/schema.ts'
import type { Table } from '../../src/store/schema/table.ts'
import { unnamed } from '../../src/store/tables/table-rows.ts'
import { allRows } from '../../src/store/verify/all-rows.ts'
import { keyring, temporaryFolder } from './engines.ts'
import { startChangingProxy } from './postgres/changing-proxy.ts'
import { skip, testDatabase, type TestDatabase, testedVersions } from './postgres/shared-server.ts'

const most = Number.MAX_SAFE_INTEGER

/** More than two pages. UTF-16 orders two of the names the other way round than their bytes. */
const names = [
  ...Array.from({ length: 450 }, (_, index) => `n${String(index).padStart(4, '0')}`),
  '\u{fffd}',
  '\u{1f511}',
  'É',
  '%_\\\'"\n\t',
]

const forges = createBoundRows(keyring, () => undefined)

/** A row that follows from the descriptor: all its text is the name, so that references hold. */
function rowOf(table: Table, name: string, index: number): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const [column, { kind, optional }] of Object.entries(table.columns)) {
    if (column === 'row_tag' || kind === 'counter') continue
    if (optional && index % 2 === 0) row[column] = null
    else if (kind === 'text') row[column] = name
    else if (kind === 'json') row[column] = JSON.stringify({ name, zero: '\u0000' })
    else if (kind === 'bytes') row[column] = Uint8Array.from([0, 255, index % 256, index >> 8])
    else if (kind === 'flag') row[column] = index % 2
    else row[column] = index === names.length - 1 ? most : index + 1
  }
  return isBound(table) ? forges.seal(table, row) : row
}

async function filled(t: TestContext): Promise<Database> {
  const database = await openDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  await database.query.transaction().execute(async (query) => {
    await query.deleteFrom('change_head').execute()
    for (const table of everyTable) {
      for (const [index, name] of names.entries()) {
        const row = rowOf(table, name, index) as Record<string, string | number | Uint8Array | null>
        await unnamed(query).insertInto(table.name).values(row).execute()
      }
    }
    // A counter goes on after the number of a deleted row.
    await sql`DELETE FROM audit_outbox WHERE event_id = ${names.at(-1)}`.execute(query)
  })
  return database
}

interface Target extends TestDatabase {
  readonly into: Database
}

async function target(t: TestContext, through: (port: number) => Promise<number>): Promise<Target> {
  const given = await testDatabase(t, testedVersions[0] ?? 0)
  const port = await through(given.port)
  const url = given.url.replace(`:${given.port}/`, `:${port}/`)
  const into = await openDatabase({ path: '', url })
  t.after(() => into.close())
  return { ...given, into }
}

const directly = (port: number): Promise<number> => Promise.resolve(port)

function moving(from: Database, into: Database, more: Partial<Move> = {}): Promise<number> {
  const given = { from: from.query, into, keyring, onArrived: () => {} }
  return moveRows({ ...given, onComplete: () => Promise.resolve(), ...more })
}

async function rowsIn(database: Database, table: Table): Promise<readonly unknown[]> {
  const rows: unknown[] = []
  for await (const row of allRows(database.query, table)) rows.push({ ...row })
  return rows
}

async function isEmpty({ admin }: Target): Promise<void> {
  for (const { name } of everyTable) {
    const [{ n } = { n: undefined }] = await admin(`SELECT count(*)::int AS n FROM ${name}`)
    assert.equal(n, name === 'change_head' ? 1 : 0, name)
  }
}

test('every kind of row arrives as it was, and counters go on', { skip }, async (t) => {
  const from = await filled(t)
  const { into } = await target(t, directly)
  const told = new Map<string, number>()
  let completed = 0
  const onComplete = async (): Promise<void> => void (completed += 1)
  const onArrived = (table: string, rows: number): void => void told.set(table, rows)
  const moved = await moving(from, into, { onArrived, onComplete })
  assert.equal(moved, everyTable.length * names.length - 1)
  assert.equal(completed, 1)
  assert.deepEqual(
    [...told.keys()],
    everyTable.map(({ name }) => name),
  )
  for (const table of everyTable) {
    assert.deepEqual(await rowsIn(into, table), await rowsIn(from, table), table.name)
  }
  const next = { event_id: 'next', record: '', stream: '', segment: 0, row_tag: new Uint8Array() }
  for (const { query } of [from, into]) {
    await query.insertInto('audit_outbox').values(next).execute()
    const last = query.selectFrom('audit_outbox').select('position').where('event_id', '=', 'next')
    assert.deepEqual(await last.execute(), [{ position: names.length + 1 }])
  }
})

test('a database that is not empty is refused, and left as it was', { skip }, async (t) => {
  const from = await filled(t)
  const given = await target(t, directly)
  const refused = async (message: RegExp): Promise<void> => {
    await assert.rejects(
      moving(from, given.into),
      (error: unknown) => error instanceof MoveRefused && message.test(error.message),
    )
  }
  await given.admin(`INSERT INTO key_turns VALUES ('1', 'r', 'k', 1, 's', NULL, NULL)`)
  await refused(/^the database is not empty, key_turns has rows: name an empty one$/)
  await given.admin('DELETE FROM key_turns; UPDATE change_head SET seq = 1')
  await refused(/^the database is not empty, change_head has rows: name an empty one$/)
  await given.admin('UPDATE change_head SET seq = 0')
  await isEmpty(given)
  await moving(from, given.into)
  await refused(/^the database holds this deployment already: start the server with the same sett/)
  await given.admin("UPDATE deployment SET deployment_id = 'other'")
  await refused(/^the database holds another deployment, other: name an empty one$/)
})

test('a row that is changed underway is refused, and nothing arrives', { skip }, async (t) => {
  const from = await filled(t)
  let isChanging = false
  const change = (sent: string): string => (isChanging ? sent.replaceAll('n0123', 'n9123') : sent)
  const given = await target(t, (port) => startChangingProxy(t, port, change))
  isChanging = true
  await assert.rejects(
    moving(from, given.into),
    (error: unknown) =>
      error instanceof MoveRefused && error.message.endsWith('did not arrive as it was sent'),
  )
  isChanging = false
  await isEmpty(given)
  await moving(from, given.into)
})

test('a row with a wrong tag is refused, and nothing arrives', { skip }, async (t) => {
  const from = await filled(t)
  await sql`UPDATE grants SET operations = '[]' WHERE grant_id = 'n0300'`.execute(from.query)
  const given = await target(t, directly)
  await assert.rejects(
    moving(from, given.into),
    /^Error: row n0300\S* of grants did not arrive as it was sent$/,
  )
  await isEmpty(given)
})

test('what fails when all rows have arrived leaves nothing', { skip }, async (t) => {
  const from = await filled(t)
  const given = await target(t, directly)
  const onComplete = (): Promise<void> => Promise.reject(new Error('no room'))
  await assert.rejects(moving(from, given.into, { onComplete }), /^Error: no room$/)
  await isEmpty(given)
})
