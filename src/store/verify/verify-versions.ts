/**
 * Compares rows with the log of changes, which has the version at which the last change of each left it. A
 * row's tag cannot tell an older genuine row from the present one. The log can, as far back as it goes: its
 * rows are tagged, and their numbers have no holes.
 *
 * A crash makes no difference: rows and log change in the same transactions.
 * @module
 */
import { type Kysely, sql } from 'kysely'
import { createBoundRows, type RowKeyring } from '../bound-rows.ts'
import { noRow } from '../change.ts'
import type { RowScope } from '../row-scope.ts'
import { changeLog, type LoggedChange } from '../schema/changes.ts'
import { everyTable, type Row, type Schema } from '../schema/schema.ts'
import type { Table } from '../schema/table.ts'
import { loggedChangesMax, skippedAfter } from '../tables/change-log.ts'
import { tableReads } from '../tables/table-rows.ts'
import { allRows } from './all-rows.ts'
import type { Finding } from './verify-structure.ts'

/** Bounds what is in memory at once. */
const pageMax = 1000
/** What is reported at most. */
const findingsMax = 1000

const versioned: readonly Table[] = everyTable.filter(
  ({ change }: Table) => change !== undefined && !change.withoutVersion,
)

/** The columns of a row that its name in the log has the values of. */
function namedColumns({ primaryKey, change }: Table): readonly string[] {
  const { account = '', region = '', id = [] } = change ?? {}
  const inKey = (column: string): boolean => primaryKey.includes(column)
  const ids = id.some(inKey) ? id.filter(inKey) : id
  return [...new Set([...[account, region].filter(inKey), ...ids])]
}

/** The values of `namedColumns` in an entry. It is shorter if the entry names a whole key of grants. */
function nameOf(table: Table, { accountId, region, id }: LoggedChange): readonly string[] {
  const { account = '', region: ofRegion = '', id: ids = [] } = table.change ?? {}
  const parts = ids.length === 1 ? [id] : id.split('/')
  const values = new Map([
    ...ids.flatMap((column, index): [string, string][] =>
      parts[index] === undefined ? [] : [[column, parts[index]]],
    ),
    [account, accountId] as const,
    [ofRegion, region] as const,
  ])
  return namedColumns(table).flatMap((column) => values.get(column) ?? [])
}

/** By table: the version of each row that the log names. */
type Expected = ReadonlyMap<string, Map<string, number>>

export async function verifyVersions(
  query: Kysely<Schema>,
  keyring: RowKeyring,
): Promise<readonly Finding[]> {
  const rows = createBoundRows(keyring, () => undefined) // `verifyTags` reports forged rows
  const expected: Expected = new Map(versioned.map(({ name }) => [name, new Map()]))
  const findings = await readLog({ query, rows }, expected)
  for (const table of versioned) {
    findings.push(...(await compare(query, table, expected.get(table.name) ?? new Map())))
  }
  return findings.slice(0, findingsMax)
}

/** Reads from the last change back to where the log begins. The findings are holes in the log. */
async function readLog(scope: RowScope, expected: Expected): Promise<Finding[]> {
  const { query } = scope
  const { accept } = tableReads(changeLog, scope)
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
  for await (const found of newestFirst(query, head)) {
    const row = accept(found)
    if (row === undefined) continue
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
function expect(expected: Expected, logged: LoggedChange): void {
  const table = versioned.find(({ change }) => change?.kind === logged.kind)
  const versions = expected.get(table?.name ?? '')
  // What has no version of its own, as key material, says nothing.
  if (table === undefined || versions === undefined || logged.rowVersion === undefined) return
  const name = nameOf(table, logged)
  const isOver = versions.get(wholeOf(name)) === noRow
  if (!versions.has(nameIn(name)) && !isOver) versions.set(nameIn(name), logged.rowVersion)
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
  described: Table,
  expected: Map<string, number>,
): Promise<readonly Finding[]> {
  const { name: table } = described
  const columns = namedColumns(described)
  const findings: Finding[] = []
  for await (const row of allRows(query, described)) {
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

async function* newestFirst(
  query: Kysely<Schema>,
  head: number,
): AsyncGenerator<Row<'change_log'>> {
  let before: Pick<Row<'change_log'>, 'seq' | 'position'> = { seq: head + 1, position: 0 }
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
