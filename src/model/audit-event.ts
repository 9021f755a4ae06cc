/**
 * Audit records as LookupEvents returns them, and the queries that find them.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 * @module
 */

import type { CountedFacts } from './usage.ts'

/** How far back the event history reaches, in milliseconds. */
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
  /** AWS omits it in events that use keys. */
  readonly type?: string
  readonly name: string
}

/** What lookups and counts need to know of an audit record, without its time and id. */
export interface EventFacts {
  /** The account and Region of the record: only they see it. */
  readonly accountId: string
  readonly region: string
  readonly eventName: string
  readonly eventSource: string
  readonly readOnly: string
  readonly username?: string
  readonly accessKeyId?: string
  /** Resources that the answer shows. */
  readonly resources: readonly IndexedResource[]
  /**
   * Other resources that the record names: lookups find the event by them, but answers do not show
   * them.
   */
  readonly hiddenResources?: readonly IndexedResource[]
  /** How metrics count it. Present for KMS requests and changes of a key's state. */
  readonly counted?: CountedFacts
}

/** An audit record in the event index. */
export interface IndexedEvent extends EventFacts {
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly eventId: string
  /** The record's own JSON text. */
  readonly text: string
}

/** What the event index needs of a record, so that it need not parse the record. */
export interface RecordFacts {
  /**
   * A JSON object with the members of the record that `EventFacts` are made from. It is the same text
   * for calls that differ in nothing else.
   */
  readonly members: string
  /** The record's `eventTime`: milliseconds since the epoch. */
  readonly time: number
}

/** All events of an account and Region, or those with a given value of one attribute. */
export interface EventScope {
  readonly accountId: string
  readonly region: string
  readonly attribute?: { readonly name: LookupAttribute; readonly value: string }
}

export interface EventQuery {
  readonly scope: EventScope
  /** Milliseconds since the epoch; both bounds are included. */
  readonly from: number
  readonly until: number
  /** The `next` of the page before. */
  readonly after?: string
  readonly limit: number
}

export interface EventPage {
  readonly events: readonly IndexedEvent[]
  /** Pass it as `after` to get the next page. Absent on the last page. */
  readonly next?: string
}

export interface EventLookup {
  /** @throws {RangeError} when `after` is not the `next` of an earlier page */
  lookup(query: EventQuery): Promise<EventPage>
}
