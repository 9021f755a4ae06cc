/**
 * The time at which a user's sessions were revoked, and an index of the grants that name a user.
 * @module
 */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import type { Schema } from '../schema/schema.ts'

export async function userSessions(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { number } = columnTypes(engine)
  await query.schema.alterTable('users').addColumn('sessions_revoked_at', number).execute()
  for (const column of ['grantee_id', 'retiree_id'] as const) {
    await query.schema.createIndex(`grants_by_${column}`).on('grants').column(column).execute()
  }
}
