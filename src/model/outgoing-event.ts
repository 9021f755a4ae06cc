/** Events that wait to be sent to the configured webhook. @module */

/** Immutable: each attempt sends the same. */
export interface OutgoingEvent {
  /** A UUID: the id of the event, and of its message. */
  readonly eventId: string
  /** ARN of the event's key. Events of one key are sent in order. */
  readonly subject: string
  /** If false, the event may be dropped when the queue is full. */
  readonly isGuaranteed: boolean
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  /** JSON, one line. */
  readonly body: string
}

export interface WaitingEvent extends OutgoingEvent {
  /** Its place in the queue. */
  readonly position: number
}
