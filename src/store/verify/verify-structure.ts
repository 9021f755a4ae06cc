/** Verifies a database file: its pages, its schema and the references between its rows. @module */
import { type Kysely, sql } from 'kysely'
import { requireExpectedSchema } from './expected-schema.ts'
import { appliedVersion, migrations } from '../migrations.ts'
import type { Schema } from '../schema/schema.ts'

/** A problem with a table, or with one of its rows. */
export interface Finding {
  /** Empty if the problem is with the file. */
  readonly table: string
  /** The primary key, joined by `/`. */
  readonly row?: string
  readonly why: string
}

/** Most problems that one check reports. */
export const findingsMax = 1000

/**
 * Checks the schema.
 * @throws {SchemaChanged} if nothing in the file can be trusted
 * @throws {DatabaseTooNew}
 */
export async function requireSchema(query: Kysely<Schema>): Promise<readonly Finding[]> {
  await requireExpectedSchema(query)
  const { rows } = await sql`SELECT 1 FROM sqlite_schema LIMIT 1`.execute(query)
  if (rows.length === 0) return [{ table: '', why: 'the file is empty' }]
  const version = await appliedVersion(query)
  if (version === migrations.length) return []
  const why = `its schema is version ${version}: start this version of Trent once, then verify`
  return [{ table: '', why }]
}

/**
 * Reports what SQLite finds: damaged pages, indexes that disagree with their tables, broken
 * constraints.
 */
export async function verifyPages(query: Kysely<Schema>): Promise<readonly Finding[]> {
  const { rows } = await sql<{ readonly integrity_check: string }>`
    PRAGMA integrity_check(${sql.lit(findingsMax)})`.execute(query)
  const said = rows.map(({ integrity_check: line }) => line)
  return said.filter((line) => line !== 'ok').map((why) => ({ table: '', why }))
}

/** Checks references that the schema declares, and those that only Trent knows. */
export async function verifyReferences(query: Kysely<Schema>): Promise<readonly Finding[]> {
  const declared = await sql<{
    readonly child: string
    readonly parent: string
    readonly id: number
  }>`
    SELECT "table" AS child, parent, rowid AS id FROM pragma_foreign_key_check
    LIMIT ${sql.lit(findingsMax)}`.execute(query)
  const findings: Finding[] = declared.rows.map(({ child, parent, id }) => ({
    table: child,
    row: `number ${id}`,
    why: `it refers to a row of ${parent} that does not exist`,
  }))
  for (const { table, why, rows } of references) {
    const found = await sql<{ readonly id: string | number }>`
      ${sql.raw(rows)} LIMIT ${sql.lit(findingsMax)}`.execute(query)
    findings.push(...found.rows.map(({ id }) => ({ table, row: String(id), why })))
  }
  return findings
}

const keyName = "k.account_id || '/' || k.region || '/' || k.key_id"

const references: readonly {
  readonly table: string
  readonly why: string
  readonly rows: string
}[] = [
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
