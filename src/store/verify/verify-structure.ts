/** Verifies a database: its pages, its schema and the references between its rows. @module */
import { type Kysely, sql } from 'kysely'
import { requireExpectedSchema } from './expected-schema.ts'
import { appliedVersion, migrations } from '../migrations.ts'
import { requirePostgresSchema } from '../postgres/postgres-schema.ts'
import { everyTable, type Schema } from '../schema/schema.ts'
import type { Table } from '../schema/table.ts'
import type { Engine } from '../database.ts'

/** A problem with a table, or with one of its rows. */
export interface Finding {
  /** Empty if the problem is with the whole database. */
  readonly table: string
  /** The primary key, joined by `/`. */
  readonly row?: string
  readonly why: string
}

/** Most problems that one check reports. */
export const findingsMax = 1000

/**
 * Checks the schema.
 * @throws {SchemaChanged} if nothing in the database can be trusted
 * @throws {DatabaseTooNew}
 */
export async function requireSchema(
  query: Kysely<Schema>,
  engine: Engine,
): Promise<readonly Finding[]> {
  const { require, anyTable } = schemas[engine]
  await require(query)
  const { rows } = await sql.raw(anyTable).execute(query)
  if (rows.length === 0) return [{ table: '', why: 'it is empty' }]
  const version = await appliedVersion(query)
  if (version === migrations.length) return []
  const why = `its schema is version ${version}: start this version of Trent once, then verify`
  return [{ table: '', why }]
}

const schemas = {
  sqlite: { require: requireExpectedSchema, anyTable: 'SELECT 1 FROM sqlite_schema LIMIT 1' },
  postgresql: {
    require: requirePostgresSchema,
    anyTable: "SELECT 1 WHERE to_regclass('public.schema_migrations') IS NOT NULL",
  },
} as const

/**
 * Reports damage that the engine finds. SQLite checks its pages, its constraints, and its indexes
 * against their tables. In PostgreSQL, the rows of each table are counted with and without the index
 * of its primary key; the other checks follow that index.
 */
export async function verifyPages(
  query: Kysely<Schema>,
  engine: Engine,
): Promise<readonly Finding[]> {
  if (engine === 'postgresql') return await verifyCounts(query)
  const { rows } = await sql<{ readonly integrity_check: string }>`
    PRAGMA integrity_check(${sql.lit(findingsMax)})`.execute(query)
  const said = rows.map(({ integrity_check: line }) => line)
  return said.filter((line) => line !== 'ok').map((why) => ({ table: '', why }))
}

async function verifyCounts(query: Kysely<Schema>): Promise<readonly Finding[]> {
  const allowScans = async (allowed: Readonly<Record<string, boolean>>): Promise<void> => {
    for (const [scan, isAllowed] of Object.entries(allowed)) {
      await sql.raw(`SET LOCAL enable_${scan} = ${isAllowed}`).execute(query)
    }
  }
  const findings: Finding[] = []
  for (const { name } of everyTable) {
    // Two texts: a prepared statement keeps its plan.
    await allowScans({ seqscan: true, indexscan: false, indexonlyscan: false, bitmapscan: false })
    const stored = await sql<{ readonly stored: number }>`
      SELECT count(*) AS stored FROM ${sql.table(name)}`.execute(query)
    await allowScans({ seqscan: false, indexscan: true, indexonlyscan: true })
    const indexed = await sql<{ readonly indexed: number }>`
      SELECT count(*) AS indexed FROM ${sql.table(name)}`.execute(query)
    const [rows, entries] = [stored.rows[0]?.stored, indexed.rows[0]?.indexed]
    if (rows === entries) continue
    findings.push({ table: name, why: `it has ${rows} rows, and an index of it has ${entries}` })
  }
  await allowScans({ seqscan: true, bitmapscan: true })
  return findings
}

/** Checks references that the schema declares, and those that only Trent knows. */
export async function verifyReferences(query: Kysely<Schema>): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { table, why, rows } of [...declared, ...references]) {
    const found = await sql<{ readonly id: string | number }>`
      ${sql.raw(rows)} LIMIT ${sql.lit(findingsMax)}`.execute(query)
    findings.push(...found.rows.map(({ id }) => ({ table, row: String(id), why })))
  }
  return findings
}

interface Checked {
  readonly table: string
  readonly why: string
  /** A query of the rows that break the rule. */
  readonly rows: string
}

/** The references of the descriptors. A database enforces them only while nobody turns that off. */
const declared: readonly Checked[] = everyTable.flatMap((child: Table) =>
  (child.references ?? []).map(({ columns, to }) => {
    const isSame = to.primaryKey.map((column, index) => `p.${column} = c.${columns[index]}`)
    const isSet = columns.map((column) => `c.${column} IS NOT NULL`)
    const id = child.primaryKey.map((column) => `CAST(c.${column} AS text)`).join(" || '/' || ")
    return {
      table: child.name,
      why: `it refers to a row of ${to.name} that does not exist`,
      rows: `SELECT ${id} AS id FROM ${child.name} c WHERE ${isSet.join(' AND ')} AND NOT EXISTS (
        SELECT 1 FROM ${to.name} p WHERE ${isSame.join(' AND ')})`,
    }
  }),
)

const keyName = "k.account_id || '/' || k.region || '/' || k.key_id"

const references: readonly Checked[] = [
  {
    table: 'keys',
    why: 'its current key material does not exist',
    rows: `SELECT ${keyName} AS id FROM keys k WHERE k.current_material_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM key_materials m WHERE m.material_id = k.current_material_id
        AND m.account_id = k.account_id AND m.key_id = k.key_id)`,
  },
  {
    table: 'keys',
    why: 'the row of its last use does not exist',
    rows: `SELECT ${keyName} AS id FROM keys k WHERE NOT EXISTS (SELECT 1 FROM key_usage u
      WHERE u.account_id = k.account_id AND u.region = k.region AND u.key_id = k.key_id)`,
  },
  {
    table: 'key_materials',
    why: 'its key does not exist in any Region',
    rows: `SELECT m.material_id AS id FROM key_materials m WHERE NOT EXISTS (SELECT 1 FROM keys k
      WHERE k.account_id = m.account_id AND k.key_id = m.key_id)`,
  },
  {
    table: 'material_states',
    why: 'its key material does not exist',
    rows: `SELECT ${keyName} || '/' || k.material_id AS id FROM material_states k WHERE NOT EXISTS (
      SELECT 1 FROM key_materials m WHERE m.material_id = k.material_id
        AND m.account_id = k.account_id AND m.key_id = k.key_id)`,
  },
  {
    table: 'access_keys',
    why: 'its user does not exist',
    rows: `SELECT a.access_key_id AS id FROM access_keys a WHERE a.principal_kind = 'user'
      AND NOT EXISTS (SELECT 1 FROM users u
        WHERE u.user_id = a.principal_id AND u.account_id = a.account_id)`,
  },
  {
    table: 'resource_counts',
    why: 'the count is not the number of rows',
    rows: `SELECT c.account_id || '/' || c.region || '/' || c.kind AS id FROM resource_counts c
      WHERE c.count <> CASE c.kind
        WHEN 'keys' THEN (SELECT count(*) FROM keys k WHERE k.account_id = c.account_id
          AND k.region = c.region AND k.manager = 'CUSTOMER')
        ELSE (SELECT count(*) FROM aliases a WHERE a.account_id = c.account_id
          AND a.region = c.region AND NOT (a.name >= 'alias/aws/' AND a.name < 'alias/aws0')) END`,
  },
  {
    table: 'change_log',
    why: 'it is later than the last change: an older copy of the database, or of a part of it, was put back',
    rows: `SELECT DISTINCT l.seq AS id FROM change_log l
      WHERE l.seq > (SELECT coalesce(max(seq), 0) FROM change_head)`,
  },
  {
    table: 'change_head',
    why: 'the log of changes ends before it: an older copy of a part of the database was put back',
    rows: `SELECT h.seq AS id FROM change_head h
      WHERE h.seq > (SELECT coalesce(max(seq), 0) FROM change_log)`,
  },
  ...['deployment', 'seals', 'domain_keys', 'key_usage_tracking', 'change_head'].map((table) => ({
    table,
    why: 'the table has no row',
    rows: `SELECT 1 AS id WHERE NOT EXISTS (SELECT 1 FROM ${table})`,
  })),
]
