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

export interface EventIndexTables {
  readonly event_blocks: EventBlocksTable
  readonly event_postings: EventPostingsTable
  readonly event_index_positions: EventIndexPositionsTable
}
