/** The tables of the event index and its counts. @module */
import type { Generated } from 'kysely'

/** The audit records of one account, Region and hour, compressed. */
export interface EventBlocksTable {
  readonly block: Generated<number>
  /** Days since the epoch. */
  readonly day: number
  readonly content: Uint8Array
}

/** The blocks with events that have a token: a hash of account, Region, attribute and value. */
export interface EventPostingsTable {
  readonly day: number
  readonly token: Uint8Array
  readonly last_time: number
  readonly block: number
  readonly first_time: number
}

/** The end of the indexed records of each journal stream. */
export interface EventIndexPositionsTable {
  readonly stream: string
  readonly segment: number
  readonly offset: number
}

/** Requests of an account in a Region on the same keys within one minute, hour or month. */
export interface RequestCountsTable {
  readonly account_id: string
  readonly region: string
  /** `minute`, `hour` or `month`. */
  readonly period: string
  /** Milliseconds since the epoch. */
  readonly start: number
  /** Separated by spaces. */
  readonly key_arns: string
  readonly operation: string
  /** 1 if the caller belongs to the account. */
  readonly own: number
  readonly succeeded: number
  readonly failed: number
}

/** Changes in the lives of keys, with their times. */
export interface KeyTurnsTable {
  readonly account_id: string
  readonly region: string
  readonly key_arn: string
  readonly at: number
  readonly state: string
  readonly spec: string | null
  readonly manager: string | null
}

export interface EventIndexTables {
  readonly event_blocks: EventBlocksTable
  readonly event_postings: EventPostingsTable
  readonly event_index_positions: EventIndexPositionsTable
  readonly request_counts: RequestCountsTable
  readonly key_turns: KeyTurnsTable
}
