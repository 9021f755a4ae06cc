/**
 * Audit records that committed with their change and have not been seen in the journal yet. They are
 * no part of what is decided by, and take no change number. A row that is not genuine is not listed:
 * whoever can write the database cannot have a record of his own put into the audit log.
 * @module
 */
import type { Kysely } from 'kysely'
import { acceptedPage } from './bound-rows.ts'
import type { RowScope } from './row-scope.ts'
import type { Schema } from './schema.ts'
import type { OutboxRow } from './store.ts'

const deletedMax = 500

export async function insertOutbox(
  { query, rows }: RowScope,
  { eventId, record, stream, segment }: OutboxRow,
): Promise<void> {
  const columns = { event_id: eventId, record, stream, segment }
  await query.insertInto('audit_outbox').values(rows.seal('audit_outbox', columns)).execute()
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
