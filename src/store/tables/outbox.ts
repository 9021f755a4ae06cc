/**
 * The outbox: audit records that committed with their change and have not been seen in the journal
 * yet. Nothing is decided by them. A forged row is not listed, so that an attacker who can write
 * the database cannot put his own record into the audit log.
 * @module
 */
import type { Kysely } from 'kysely'
import { withChangeNumber } from '../../model/change-number.ts'
import { acceptedPage } from '../bound-rows.ts'
import type { ChangeNumber } from './change-log.ts'
import type { RowScope } from '../row-scope.ts'
import type { Schema } from '../schema/schema.ts'
import type { OutboxRow } from '../store.ts'

const deletedMax = 500

/**
 * Inserts a record of the transaction's change.
 *
 * INVARIANT (numbered records): the record of a change carries the change's number, so that the
 * journal shows which changes its database must contain.
 */
export async function insertOutbox(
  { query, rows, number }: RowScope & { readonly number: ChangeNumber },
  { eventId, record: made, stream, segment }: OutboxRow,
): Promise<string> {
  const change = await number()
  const record = change === undefined ? made : withChangeNumber(made, change)
  const columns = { event_id: eventId, record, stream, segment }
  await query.insertInto('audit_outbox').values(rows.seal('audit_outbox', columns)).execute()
  return record
}

/** Oldest first. */
export function listOutbox(
  { query, rows }: RowScope,
  limit: number,
): Promise<readonly OutboxRow[]> {
  return acceptedPage(
    { limit },
    (after, wanted) =>
      query
        .selectFrom('audit_outbox')
        .select(['position', 'event_id', 'record', 'stream', 'segment', 'row_tag'])
        .$if(after !== undefined, (outbox) => outbox.where('position', '>', Number(after)))
        .orderBy('position')
        .limit(wanted)
        .execute(),
    ({ position }) => String(position),
    ({ event_id: eventId, record, stream, segment, row_tag }) => {
      const columns = { event_id: eventId, record, stream, segment, row_tag }
      const genuine = rows.genuine('audit_outbox', [eventId], columns) !== undefined
      return genuine ? { eventId, record, stream, segment } : undefined
    },
  )
}

export async function deleteOutbox(
  query: Kysely<Schema>,
  eventIds: readonly string[],
): Promise<void> {
  for (let start = 0; start < eventIds.length; start += deletedMax) {
    await query
      .deleteFrom('audit_outbox')
      .where('event_id', 'in', eventIds.slice(start, start + deletedMax))
      .execute()
  }
}
