/**
 * The rows of events that wait for the webhook. Like the outbox, they are not cached, and a forged
 * row is not sent, so that an attacker who can write the database cannot make the server sign his
 * content.
 * @module
 */
import type { OutgoingEvent, WaitingEvent } from '../../model/outgoing-event.ts'
import type { OutgoingEventStore, WaitingEvents } from '../outgoing-event-store.ts'
import type { RowScope } from '../row-scope.ts'
import { outgoingEvents } from '../schema/changes.ts'
import type { Row } from '../schema/schema.ts'
import { insertRecords } from './table-rows.ts'

const deletedMax = 500

export async function insertOutgoingEvent(scope: RowScope, event: OutgoingEvent): Promise<void> {
  await insertRecords(outgoingEvents, scope, [event])
}

export function outgoingEventStore(scope: RowScope): OutgoingEventStore {
  const { query } = scope
  return {
    saveOutgoingEvent: (event) => insertOutgoingEvent(scope, event),
    async listNextEvents(limit, except) {
      // Uses only the index. The rows, of some kilobytes each, are read only if they are returned.
      const firsts = query
        .selectFrom('outgoing_events')
        .select(({ fn }) => fn.min('position').as('first'))
        .$if(except.length > 0, (events) => events.where('subject', 'not in', except))
        .groupBy('subject')
        .orderBy('first')
        .limit(limit)
      const found = await query
        .selectFrom('outgoing_events')
        .selectAll()
        .where('position', 'in', firsts)
        .orderBy('position')
        .execute()
      return sorted(scope, found)
    },
    async listOldestEvents(limit, { isGuaranteed }) {
      const found = await query
        .selectFrom('outgoing_events')
        .selectAll()
        .$if(isGuaranteed !== undefined, (events) =>
          events.where('guaranteed', '=', Number(isGuaranteed)),
        )
        .orderBy('position')
        .limit(limit)
        .execute()
      return sorted(scope, found)
    },
    async deleteOutgoingEvents(positions) {
      for (let start = 0; start < positions.length; start += deletedMax) {
        const some = positions.slice(start, start + deletedMax)
        await query.deleteFrom('outgoing_events').where('position', 'in', some).execute()
      }
    },
    async eventFigures() {
      const { waiting, oldest } = await query
        .selectFrom('outgoing_events')
        .select(({ fn }) => [
          fn.countAll<number>().as('waiting'),
          fn.min<number | null>('made_at').as('oldest'),
        ])
        .executeTakeFirstOrThrow()
      return { waiting, ...(oldest !== null && { oldestAt: oldest }) }
    },
  }
}

function sorted({ rows }: RowScope, found: readonly Row<'outgoing_events'>[]): WaitingEvents {
  const events: WaitingEvent[] = []
  const forged: number[] = []
  for (const row of found) {
    const { position, event_id: eventId } = row
    if (!rows.isGenuine(outgoingEvents, row, [eventId])) forged.push(position)
    else events.push({ position, ...outgoingEvents.toRecord(row) })
  }
  return { events, forged }
}
