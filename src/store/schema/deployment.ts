/** The tables of the deployment: its root key, its domain keys and its clock. @module */
import { bytes, number, rowTag, text } from './columns.ts'
import { table, tableOf } from './table.ts'

/** One row: the deployment of this database. */
export const deployment = table({
  name: 'deployment',
  columns: { id: number(), deployment_id: text(), created_at: number() },
  primaryKey: ['id'],
})

/** The sealed root key. The row with the highest generation is the current one. */
export const seals = table({
  name: 'seals',
  columns: { generation: number(), kind: text(), sealed_root_key: bytes() },
  primaryKey: ['generation'],
})

export const domainKeys = table({
  name: 'domain_keys',
  columns: { version: number(), wrapped: bytes(), created_at: number() },
  primaryKey: ['version'],
})

/** One row, with the id 1: the latest time at which anything was decided. */
export const clockMark = tableOf<{ readonly id: number; readonly reached: number }>()({
  name: 'clock_mark',
  columns: { id: number('id'), reached: number('reached'), row_tag: rowTag },
  primaryKey: ['id'],
})

/** The versions of the schema that ran (`migrations.ts`). No migration creates it. */
export const schemaMigrations = table({
  name: 'schema_migrations',
  columns: { version: number(), name: text() },
  primaryKey: ['version'],
})
