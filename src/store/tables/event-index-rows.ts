/**
 * The index of audit records: blocks of records, and the tokens that find them (`event-runs.ts`). It
 * decides nothing and has no row tags; it can be built again from the journal
 * (`docs/adr/0014-event-index.md`).
 * @module
 */
import type { Kysely } from 'kysely'
import type { CountedCall } from '../../model/usage.ts'
import type { Schema } from '../schema/schema.ts'
import { postingOf, type Posting, type Token } from './event-postings.ts'
import { forgetRunsBefore, insertRun } from './event-runs.ts'
import { saveCounts } from './usage-rows.ts'

/** Records of one account, Region and hour, with their tokens. */
export interface EventBlock {
  /** Days since the epoch. */
  readonly day: number
  readonly content: Uint8Array
  /**
   * For each token, the times of the first and the last event that have it; milliseconds since the
   * epoch.
   */
  readonly tokens: readonly {
    readonly token: Token
    readonly firstTime: number
    readonly lastTime: number
  }[]
}

/** The end of a stream's indexed records. */
export interface IndexPosition {
  readonly stream: string
  readonly segment: number
  /** Frames before this offset are indexed. */
  readonly offset: number
}

const deletedMax = 1000

export async function findIndexPositions(query: Kysely<Schema>): Promise<readonly IndexPosition[]> {
  return query.selectFrom('event_index_positions').selectAll().execute()
}

export async function findIndexPosition(
  query: Kysely<Schema>,
  stream: string,
): Promise<IndexPosition | undefined> {
  return query
    .selectFrom('event_index_positions')
    .selectAll()
    .where('stream', '=', stream)
    .executeTakeFirst()
}

/** Saves blocks, the counts of their records and the new position, in one transaction. */
export async function saveEventBlocks(
  query: Kysely<Schema>,
  blocks: readonly EventBlock[],
  calls: readonly CountedCall[],
  position: IndexPosition,
): Promise<void> {
  await query.transaction().execute(async (transaction) => {
    await saveCounts(transaction, calls)
    const postings = new Map<number, Posting[]>()
    for (const { day, content, tokens } of blocks) {
      const { block } = await transaction
        .insertInto('event_blocks')
        .values({ day, content })
        .returning('block')
        .executeTakeFirstOrThrow()
      const ofDay = postings.get(day) ?? []
      for (const { token, firstTime, lastTime } of tokens) {
        ofDay.push(postingOf(token, { lastTime, block }, firstTime))
      }
      postings.set(day, ofDay)
    }
    for (const [day, ofDay] of postings) await insertRun(transaction, day, ofDay)
    const { segment, offset } = position
    await transaction
      .insertInto('event_index_positions')
      .values(position)
      .onConflict((conflict) => conflict.column('stream').doUpdateSet({ segment, offset }))
      .execute()
  })
}

export async function findEventBlock(
  query: Kysely<Schema>,
  block: number,
): Promise<Uint8Array | undefined> {
  const row = await query
    .selectFrom('event_blocks')
    .select('content')
    .where('block', '=', block)
    .executeTakeFirst()
  return row?.content
}

/** Deletes some of the events older than a day. Returns whether there may be more. */
export async function deleteEventsBefore(query: Kysely<Schema>, day: number): Promise<boolean> {
  const blocks = await query
    .selectFrom('event_blocks')
    .select('block')
    .where('day', '<', day)
    .orderBy('day')
    .limit(deletedMax)
    .execute()
  const ids = blocks.map((row) => row.block)
  if (ids.length > 0) {
    await query.deleteFrom('event_blocks').where('block', 'in', ids).execute()
    return true
  }
  // Until then, postings of deleted blocks find nothing.
  await forgetRunsBefore(query, day)
  return false
}
