/**
 * Buckets of grants: an index finds the grants that allow a call, however many a grantee has.
 * @module
 */
import type { Kysely } from 'kysely'
import { columnTypes } from '../schema/columns.ts'
import type { Engine } from '../database.ts'
import { fileGrants } from '../tables/grant-bucket-rows.ts'
import type { Schema } from '../schema/schema.ts'

export async function grantBuckets(query: Kysely<Schema>, engine: Engine): Promise<void> {
  const { text, clustered } = columnTypes(engine)
  await query.schema
    .createTable('grant_buckets')
    .addColumn('account_id', text, (column) => column.notNull())
    .addColumn('region', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('bucket', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('grant_buckets_primary', [
      'account_id',
      'region',
      'key_id',
      'bucket',
      'grant_id',
    ])
    .addForeignKeyConstraint(
      'grant_buckets_key',
      ['account_id', 'region', 'key_id'],
      'keys',
      ['account_id', 'region', 'key_id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .modifyEnd(clustered)
    .execute()
  // A service's retirable grants are listed by account, without reading those of other accounts.
  await query.schema
    .createIndex('grants_by_retiree_account')
    .on('grants')
    .columns(['region', 'retiree', 'account_id', 'grant_id'])
    .execute()
  await fileGrants(query)
}
