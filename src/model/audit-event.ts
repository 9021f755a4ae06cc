/**
 * Audit records as LookupEvents answers them, and how they are looked for.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 * @module
 */

import type { CountedCall } from './usage.ts'

/** So far back reaches the event history, in milliseconds. */
export const eventHistoryMs = 90 * 86_400_000

export const lookupAttributes = [
  'AccessKeyId',
  'EventId',
  'EventName',
  'EventSource',
  'ReadOnly',
  'ResourceName',
  'ResourceType',
  'Username',
] as const
export type LookupAttribute = (typeof lookupAttributes)[number]

export interface IndexedResource {
  /** AWS leaves it out of events that use keys. */
  readonly type?: string
  readonly name: string
}

/** An audit record as it is looked up. */
export interface IndexedEvent {
  /** Whose it is, and where it happened: nobody else sees it. */
  readonly accountId: string
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly eventId: string
  readonly eventName: string
  readonly eventSource: string
  readonly readOnly: string
  readonly username?: string
  readonly accessKeyId?: string
  /** As answers show them. */
  readonly resources: readonly IndexedResource[]
  /** What the record names beyond that: the event is found by it, and does not show it. */
  readonly hiddenResources?: readonly IndexedResource[]
  /** What it counts as, where it is a request of KMS or a turn in a key's life. */
  readonly counted?: CountedCall
  /** The record's own JSON text. */
  readonly text: string
}

/** Of all events of an account and Region, or of those that have a value under an attribute. */
export interface EventScope {
  readonly accountId: string
  readonly region: string
  readonly attribute?: { readonly name: LookupAttribute; readonly value: string }
}

export interface EventQuery {
  readonly scope: EventScope
  /** Milliseconds since the epoch, both included. */
  readonly from: number
  readonly until: number
  /** What an earlier page ended with. */
  readonly after?: string
  readonly limit: number
}

export interface EventPage {
  readonly events: readonly IndexedEvent[]
  /** Where the next page begins; absent in the last. */
  readonly next?: string
}

export interface EventLookup {
  /** @throws {RangeError} when `after` is none that was answered */
  lookup(query: EventQuery): Promise<EventPage>
}
