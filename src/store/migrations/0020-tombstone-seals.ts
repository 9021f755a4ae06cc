/** The seals of the root key that existed while a deleted key did. @module */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function tombstoneSeals(query: Kysely<Schema>, engine: Engine): Promise<void> {
  await query.schema
    .alterTable('deleted_keys')
    .addColumn('seal_generation', columnTypes(engine).number)
    .execute()
}
