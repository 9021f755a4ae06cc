/** Events on their way to the webhook of the settings. @module */

/** Nothing of it changes any more: each attempt sends the same. */
export interface OutgoingEvent {
  /** A UUID: the event's own id, and the message's. */
  readonly eventId: string
  /** ARN of the key that it is of: events of one key are told in their order. */
  readonly subject: string
  /** It is told, or waits: what is not may be let go of where there is no room left. */
  readonly isGuaranteed: boolean
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  /** JSON, one line. */
  readonly body: string
}

export interface WaitingEvent extends OutgoingEvent {
  /** Its place among those that wait. */
  readonly position: number
}
