/** The part of the store that sends events. Nothing here is a change that takes a number. @module */
import type { OutgoingEvent, WaitingEvent } from '../model/outgoing-event.ts'

export interface WaitingEvents {
  /** Oldest first. */
  readonly events: readonly WaitingEvent[]
  /** Positions of rows that are not genuine: nothing can be made of them. */
  readonly forged: readonly number[]
}

export interface EventFigures {
  readonly waiting: number
  /** When the oldest was made, in milliseconds since the epoch. */
  readonly oldestAt?: number
}

export interface OutgoingEventStore {
  /** Keeps an event that no change has made. */
  saveOutgoingEvent(event: OutgoingEvent): Promise<void>
  /** The first event of each subject but those in `except`. */
  listNextEvents(limit: number, except: readonly string[]): Promise<WaitingEvents>
  listOldestEvents(
    limit: number,
    which: { readonly isGuaranteed?: boolean },
  ): Promise<WaitingEvents>
  deleteOutgoingEvents(positions: readonly number[]): Promise<void>
  eventFigures(): Promise<EventFigures>
}
