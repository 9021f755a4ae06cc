/**
 * Compares rows with the log of changes, which has the version at which the last change of each left it. A
 * row's tag cannot tell an older genuine row from the present one. The log can, as far back as it goes: its
 * rows are tagged, and their numbers have no holes.
 *
 * A crash makes no difference: rows and log change in the same transactions.
 * @module
 */
import { type Kysely, sql } from 'kysely'
import { type BoundRows, createBoundRows, type RowKeyring } from '../bound-rows.ts'
import { noRow, readGrantChangeId } from '../change.ts'
import type { ChangeLogTable, Schema } from '../schema/schema.ts'
import { loggedChangesMax, skippedAfter } from '../tables/change-log.ts'
import { allRows } from './verify-rows.ts'
import type { Finding } from './verify-structure.ts'

/** Bounds what is in memory at once. */
const pageMax = 1000
/** What is reported at most. */
const findingsMax = 1000

type Logged = Pick<ChangeLogTable, 'kind' | 'account_id' | 'region' | 'id'>

/** A table of rows with versions, and what the log calls one of them. */
interface Versioned {
  readonly table: string
  /** What names a row, in the order of `nameOf`. */
  readonly columns: readonly string[]
  readonly nameOf: (logged: Logged) => readonly string[]
}

const byId = (table: string, column: string): Versioned => ({
  table,
  columns: [column],
  nameOf: ({ id }) => [id],
})

const versioned: ReadonlyMap<string, Versioned> = new Map([
  ['account', byId('accounts', 'account_id')],
  ['access-key', byId('access_keys', 'access_key_id')],
  ['service', byId('services', 'access_key_id')],
  ['user', byId('users', 'user_id')],
  ['group', byId('groups', 'group_id')],
  ['role', byId('roles', 'role_id')],
  ['managed-policy', byId('managed_policies', 'policy_id')],
  [
    'oidc-provider',
    {
      table: 'oidc_providers',
      columns: ['account_id', 'name'],
      nameOf: ({ account_id: accountId, id }) => [accountId, id],
    },
  ],
  ['key', inRegion('keys', ['account_id', 'region', 'key_id'])],
  ['alias', inRegion('aliases', ['account_id', 'region', 'name'])],
  ['trail', inRegion('trails', ['account_id', 'home_region', 'name'])],
  [
    'grant',
    {
      table: 'grants',
      columns: ['account_id', 'region', 'key_id', 'grant_id'],
      nameOf: ({ account_id: accountId, region, id }) => {
        const { keyId, grantId } = readGrantChangeId(id)
        return [accountId, region, keyId, ...(grantId === undefined ? [] : [grantId])]
      },
    },
  ],
])

function inRegion(table: string, columns: readonly string[]): Versioned {
  return {
    table,
    columns,
    nameOf: ({ account_id: accountId, region, id }) => [accountId, region, id],
  }
}

/** By table: the version of each row that the log names. */
type Expected = ReadonlyMap<string, Map<string, number>>

export async function verifyVersions(
  query: Kysely<Schema>,
  keyring: RowKeyring,
): Promise<readonly Finding[]> {
  const rows = createBoundRows(keyring, () => undefined) // `verifyTags` reports forged rows
  const expected: Expected = new Map([...versioned.values()].map(({ table }) => [table, new Map()]))
  const findings = await readLog(query, rows, expected)
  for (const one of versioned.values()) {
    findings.push(...(await compare(query, one, expected.get(one.table) ?? new Map())))
  }
  return findings.slice(0, findingsMax)
}

/** Reads from the last change back to where the log begins. The findings are holes in the log. */
async function readLog(
  query: Kysely<Schema>,
  rows: Pick<BoundRows, 'genuine'>,
  expected: Expected,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const hole = (first: number, last: number): void => {
    const row = first === last ? `${last}` : `${first} to ${last}`
    findings.push({
      table: 'change_log',
      row,
      why: 'it does not exist: what it changed is not compared',
    })
  }
  const head = (await query.selectFrom('change_head').select('seq').executeTakeFirst())?.seq ?? 0
  // The number of the change that must come next, and of the one that is being read.
  let due = head
  let current = head + 1
  let beginsHere = false
  let isEmptied = false
  for await (const row of newestFirst(query, head)) {
    if (rows.genuine('change_log', [`${row.seq}`, `${row.position}`], row) === undefined) continue
    if (row.seq !== current) {
      if (row.seq < due) hole(row.seq + 1, due)
      current = row.seq
      due = row.seq - 1
    }
    const skipped = skippedAfter(row)
    beginsHere = skipped !== undefined
    if (skipped !== undefined) due = Math.min(due, skipped)
    else if (row.kind === 'everything') isEmptied = true
    else if (!isEmptied) expect(expected, row)
  }
  const oldest = Math.max(0, head - loggedChangesMax)
  if (!beginsHere && due > oldest) hole(oldest + 1, due)
  return findings
}

/** The first that is seen of a row is its last change. */
function expect(expected: Expected, row: ChangeLogTable): void {
  const of = versioned.get(row.kind)
  const versions = expected.get(of?.table ?? '')
  // What has no version of its own, as key material, says nothing.
  if (of === undefined || versions === undefined || row.row_version === null) return
  const name = of.nameOf(row)
  const isOver = versions.get(wholeOf(name)) === noRow
  if (!versions.has(nameIn(name)) && !isOver) versions.set(nameIn(name), row.row_version)
}

function nameIn(parts: readonly string[]): string {
  return JSON.stringify(parts)
}

/** What a grant belongs to: all grants of a key end with it, and the log names the key alone. */
function wholeOf(name: readonly string[]): string {
  return nameIn(name.slice(0, -1))
}

async function compare(
  query: Kysely<Schema>,
  { table, columns }: Versioned,
  expected: Map<string, number>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for await (const row of allRows(query, table)) {
    const name = columns.map((column) => String(row[column]))
    const version = expected.get(nameIn(name)) ?? expected.get(wholeOf(name))
    expected.delete(nameIn(name))
    if (version === undefined || version === row['row_version']) continue
    const why =
      version === noRow
        ? 'it was deleted: somebody has put it back'
        : `it has version ${String(row['row_version'])}, and its last change left it at ${version}: ` +
          'it was put back'
    findings.push({ table, row: name.join('/'), why })
  }
  for (const [name, version] of expected) {
    if (version === noRow) continue
    const row = (JSON.parse(name) as readonly string[]).join('/') // as `nameIn` made it
    findings.push({ table, row, why: 'it does not exist, and no change has deleted it' })
  }
  return findings
}

async function* newestFirst(query: Kysely<Schema>, head: number): AsyncGenerator<ChangeLogTable> {
  let before: Pick<ChangeLogTable, 'seq' | 'position'> = { seq: head + 1, position: 0 }
  for (;;) {
    const { seq, position } = before
    const page = await query
      .selectFrom('change_log')
      .selectAll()
      .where(sql<boolean>`(seq, position) < (${seq}, ${position})`)
      .orderBy('seq', 'desc')
      .orderBy('position', 'desc')
      .limit(pageMax)
      .execute()
    yield* page
    const last = page.at(-1)
    if (last === undefined) return
    before = last
  }
}
