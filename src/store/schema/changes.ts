/** The tables of changes, and of what leaves the store with them. @module */
import type { OutgoingEvent } from '../../model/outgoing-event.ts'
import { counter, flag, number, optional, rowTag, text } from './columns.ts'
import { table, tableOf } from './table.ts'

/**
 * One row: the number of the last change, and the random id that the change got with it. After a
 * database has lost changes, other changes get the same numbers, but never the same ids.
 */
export const changeHead = table({
  name: 'change_head',
  columns: { id: number(), seq: number(), change_id: text() },
  primaryKey: ['id'],
})

/** A row of the log of changes (`change.ts`). */
export interface LoggedChange {
  readonly seq: number
  readonly changeId: string
  /** Numbers the rows of one change from 0. */
  readonly position: number
  readonly kind: string
  readonly accountId: string
  readonly region: string
  readonly id: string
  /** The version at which the change left the row, 0 if it deleted it; absent if it has none. */
  readonly rowVersion?: number
}

export const changeLog = tableOf<LoggedChange>()({
  name: 'change_log',
  columns: {
    seq: number('seq'),
    change_id: text('changeId'),
    position: number('position'),
    kind: text('kind'),
    account_id: text('accountId'),
    region: text('region'),
    id: text('id'),
    row_version: optional(number('rowVersion')),
    row_tag: rowTag,
  },
  primaryKey: ['seq', 'position'],
})

/** A change that the database has lost, and whose loss an operator has accepted. */
export interface LostChange {
  readonly changeId: string
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number
}

export const lostChanges = tableOf<LostChange>()({
  name: 'lost_changes',
  columns: {
    change_id: text('changeId'),
    seq: number('seq'),
    accepted_at: number('acceptedAt'),
    row_tag: rowTag,
  },
  primaryKey: ['change_id'],
})

/** A finished audit record that has not been seen in the journal yet. */
export interface OutboxRow {
  /** A UUID, fixed when the record was made. */
  readonly eventId: string
  /** JSON, one line. */
  readonly record: string
  /** The journal stream and the segment that was open: no earlier segment contains the record. */
  readonly stream: string
  readonly segment: number
}

export const auditOutbox = tableOf<OutboxRow>()({
  name: 'audit_outbox',
  columns: {
    position: counter(),
    event_id: text('eventId'),
    record: text('record'),
    stream: text('stream'),
    segment: number('segment'),
    row_tag: rowTag,
  },
  primaryKey: ['position'],
  indexes: [{ name: 'audit_outbox_by_event', columns: ['event_id'], unique: true }],
})

/** Events that wait for the webhook. */
export const outgoingEvents = tableOf<OutgoingEvent>()({
  name: 'outgoing_events',
  columns: {
    position: counter(),
    event_id: text('eventId'),
    subject: text('subject'),
    guaranteed: flag('isGuaranteed'),
    made_at: number('madeAt'),
    body: text('body'),
    row_tag: rowTag,
  },
  primaryKey: ['position'],
  indexes: [
    { name: 'outgoing_events_by_event', columns: ['event_id'], unique: true },
    { name: 'outgoing_events_by_subject', columns: ['subject', 'position'] },
    { name: 'outgoing_events_by_age', columns: ['made_at'] },
  ],
})
