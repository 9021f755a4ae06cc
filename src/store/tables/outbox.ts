/**
 * The outbox: audit records that committed with their change and have not been seen in the journal
 * yet. Nothing is decided by them. A forged row is not listed, so that an attacker who can write
 * the database cannot put his own record into the audit log.
 * @module
 */
import type { Kysely } from 'kysely'
import { withChange } from '../../model/change-number.ts'
import { acceptedPage } from '../bound-rows.ts'
import { defer } from '../deferred.ts'
import type { OpenChange } from './change-log.ts'
import type { RowScope } from '../row-scope.ts'
import { auditOutbox, type OutboxRow } from '../schema/changes.ts'
import type { Schema } from '../schema/schema.ts'
import { insertRecords } from './table-rows.ts'

const deletedMax = 500

/**
 * Inserts a record of the transaction's change.
 *
 * INVARIANT (numbered records): the record of a change carries the change's number and id, so that
 * the journal shows which changes its database must contain.
 */
export async function insertOutbox(
  { number, ...scope }: RowScope & Pick<OpenChange, 'number'>,
  row: OutboxRow,
): Promise<string> {
  const change = await number()
  const record = change === undefined ? row.record : withChange(row.record, change)
  await insertRecords(auditOutbox, scope, [{ ...row, record }])
  return record
}

/**
 * Oldest first.
 * @param streams those of one node: only it knows what they hold. All of them if left out.
 */
export function listOutbox(
  { query, rows }: RowScope,
  limit: number,
  streams?: readonly string[],
): Promise<readonly OutboxRow[]> {
  return acceptedPage(
    { limit },
    (after, wanted) =>
      query
        .selectFrom('audit_outbox')
        .selectAll()
        .$if(streams !== undefined, (outbox) => outbox.where('stream', 'in', streams ?? []))
        .$if(after !== undefined, (outbox) => outbox.where('position', '>', Number(after)))
        .orderBy('position')
        .limit(wanted)
        .execute(),
    ({ position }) => String(position),
    (row) =>
      rows.isGenuine(auditOutbox, row, [row.event_id]) ? auditOutbox.toRecord(row) : undefined,
  )
}

/** The streams that rows name. */
export async function listOutboxStreams({
  query,
}: Pick<RowScope, 'query'>): Promise<readonly string[]> {
  const found = await query.selectFrom('audit_outbox').select('stream').distinct().execute()
  return found.map(({ stream }) => stream)
}

/** In a transaction of the embedded database it commits together with changes. */
export async function deleteOutbox(
  query: Kysely<Schema>,
  eventIds: readonly string[],
): Promise<void> {
  for (let start = 0; start < eventIds.length; start += deletedMax) {
    const deleted = eventIds.slice(start, start + deletedMax)
    await defer(query, query.deleteFrom('audit_outbox').where('event_id', 'in', deleted))
  }
}
