/**
 * The part of the store that sends events to the webhook. Nothing here is a numbered change.
 * @module
 */
import type { OutgoingEvent, WaitingEvent } from '../model/outgoing-event.ts'

export interface WaitingEvents {
  /** Oldest first. */
  readonly events: readonly WaitingEvent[]
  /** Positions of forged rows. Their events cannot be sent. */
  readonly forged: readonly number[]
}

export interface EventFigures {
  readonly waiting: number
  /** When the oldest event was made, in milliseconds since the epoch. */
  readonly oldestAt?: number
}

export interface OutgoingEventStore {
  /** Stores an event that does not belong to a change. */
  saveOutgoingEvent(event: OutgoingEvent): Promise<void>
  /** The first event of each subject, except the subjects in `except`. */
  listNextEvents(limit: number, except: readonly string[]): Promise<WaitingEvents>
  listOldestEvents(
    limit: number,
    which: { readonly isGuaranteed?: boolean },
  ): Promise<WaitingEvents>
  deleteOutgoingEvents(positions: readonly number[]): Promise<void>
  eventFigures(): Promise<EventFigures>
}
