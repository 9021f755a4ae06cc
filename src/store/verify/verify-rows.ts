/**
 * Verifies the rows of a database: their tags, the secrets that they wrap, and the ids in their
 * JSON.
 * @module
 */
import { type Kysely, sql } from 'kysely'
import { awsManagedPolicy } from '../../model/aws-managed-policies.ts'
import { createBoundRows, isBound, type RowKeyring } from '../bound-rows.ts'
import type { Columns, RowOf } from '../schema/columns.ts'
import { groups as groupsTable, roles, users } from '../schema/identities.ts'
import { everyTable, type Schema } from '../schema/schema.ts'
import type { RecordTable, Table } from '../schema/table.ts'
import type { SqliteRow } from '../sqlite/sqlite-protocol.ts'
import { allRows } from './all-rows.ts'
import type { Finding } from './verify-structure.ts'

export interface VerifiedRows {
  readonly findings: readonly Finding[]
  /** The number of rows with a valid tag. */
  readonly genuine: number
}

/** Verifies the tag of every row that has one. */
export async function verifyTags(
  query: Kysely<Schema>,
  keyring: RowKeyring,
): Promise<VerifiedRows> {
  const findings: Finding[] = []
  const rows = createBoundRows(keyring, (table, row) => {
    findings.push({ table, row, why: 'its tag is wrong: someone else wrote it' })
  })
  let genuine = 0
  for (const table of everyTable.filter(isBound)) {
    for await (const row of allRows(query, table)) {
      if (rows.isGenuine(table, row, keyOf(table, row))) genuine += 1
    }
  }
  return { findings, genuine }
}

/** Opens everything that a table wraps. @param open throws if the record does not open */
export async function verifyOpening<Rec extends object>(
  query: Kysely<Schema>,
  table: RecordTable<Rec>,
  open: (record: Rec) => void,
): Promise<{ readonly findings: readonly Finding[]; readonly opened: number }> {
  const findings: Finding[] = []
  let opened = 0
  for await (const row of allRows(query, table)) {
    try {
      open(table.toRecord(row as RowOf<Columns>)) // the schema was compared
      opened += 1
    } catch {
      // The cause could quote an attacker's text.
      const name = keyOf(table, row).join('/')
      findings.push({ table: table.name, row: name, why: 'its wrapped bytes do not open' })
    }
  }
  return { findings, opened }
}

function keyOf({ primaryKey }: Table, row: SqliteRow): readonly string[] {
  return primaryKey.map((column) => String(row[column]))
}

/** Checks that the managed policies and groups named by users, groups and roles exist. */
export async function verifyNamed(query: Kysely<Schema>): Promise<readonly Finding[]> {
  const policies = await idsOf(query, 'managed_policies', 'policy_id')
  const groups = await idsOf(query, 'groups', 'group_id')
  const findings: Finding[] = []
  for (const table of [users, groupsTable, roles]) {
    for await (const row of allRows(query, table)) {
      const name = keyOf(table, row).join('/')
      const report = (why: string): number => findings.push({ table: table.name, row: name, why })
      const boundary = row['permissions_boundary']
      const attached = [
        ...namesIn(row['attached_policies']),
        ...(typeof boundary === 'string' ? [boundary] : []),
      ]
      for (const policy of attached) {
        const known = policies.has(policy) || awsManagedPolicy(String(policy)) !== undefined
        if (!known) report('it names a managed policy that does not exist')
      }
      for (const group of namesIn(row['groups'])) {
        if (!groups.has(group)) report('it names a group that does not exist')
      }
    }
  }
  return findings
}

/**
 * The strings of a JSON array; empty for anything else. The row's tag, not this function, proves
 * the text.
 */
function namesIn(json: unknown): readonly unknown[] {
  if (typeof json !== 'string') return []
  try {
    const names: unknown = JSON.parse(json)
    return Array.isArray(names) ? names : []
  } catch {
    return []
  }
}

async function idsOf(
  query: Kysely<Schema>,
  table: string,
  column: string,
): Promise<ReadonlySet<unknown>> {
  const { rows } = await sql<{ readonly id: string }>`
    SELECT ${sql.ref(column)} AS id FROM ${sql.table(table)}`.execute(query)
  return new Set(rows.map(({ id }) => id))
}
