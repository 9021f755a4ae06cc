/** An index of requests by key for metrics: one series is one range of it. @module */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'

export async function metrics(query: Kysely<Schema>): Promise<void> {
  await query.schema
    .createIndex('request_counts_by_key')
    .on('request_counts')
    .columns(['account_id', 'region', 'period', 'key_arns', 'operation', 'start'])
    .execute()
}
