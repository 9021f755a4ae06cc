/** The tables of the event index, as `schema.ts` has those of everything else. @module */
import type { Generated } from 'kysely'

/** Audit records of one account, Region and hour, packed. */
export interface EventBlocksTable {
  readonly block: Generated<number>
  /** Days since the epoch. */
  readonly day: number
  readonly content: Uint8Array
}

/** Which blocks hold events with a token: a hash of account, Region, attribute and value. */
export interface EventPostingsTable {
  readonly day: number
  readonly token: Uint8Array
  readonly last_time: number
  readonly block: number
  readonly first_time: number
}

/** Up to where each stream of the journal is in the index. */
export interface EventIndexPositionsTable {
  readonly stream: string
  readonly segment: number
  readonly offset: number
}

/** Requests of an account in a Region on the same keys, within one minute or hour. */
export interface RequestCountsTable {
  readonly account_id: string
  readonly region: string
  /** `minute` or `hour`. */
  readonly period: string
  /** Milliseconds since the epoch. */
  readonly start: number
  /** With spaces between. */
  readonly key_arns: string
  readonly operation: string
  /** 1 where the caller is of the account. */
  readonly own: number
  readonly succeeded: number
  readonly failed: number
}

/** What became of keys, and when. */
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
