/**
 * The index of audit records: blocks of records, and the tokens that find them. It decides nothing
 * and has no row tags; it can be built again from the journal (`docs/adr/0014-event-index.md`).
 * @module
 */
import type { Kysely } from 'kysely'
import type { CountedCall } from '../../model/usage.ts'
import type { Schema } from '../schema/schema.ts'
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
    readonly token: Uint8Array
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

/** A block that has events with a token, and the time of the latest of them. */
export interface BlockRef {
  readonly lastTime: number
  readonly block: number
}

/** Selects blocks of one day, latest first. */
export interface BlockPage {
  readonly day: number
  readonly token: Uint8Array
  /** The range of event times; both bounds are included. */
  readonly from: number
  readonly until: number
  readonly before?: BlockRef
  readonly limit: number
}

/** Most rows in one statement, which bounds its parameters. */
const insertedMax = 200
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
    for (const { day, content, tokens } of blocks) {
      const { block } = await transaction
        .insertInto('event_blocks')
        .values({ day, content })
        .returning('block')
        .executeTakeFirstOrThrow()
      const rows = tokens.map(({ token, firstTime, lastTime }) => ({
        day,
        token,
        last_time: lastTime,
        block,
        first_time: firstTime,
      }))
      for (let start = 0; start < rows.length; start += insertedMax) {
        await transaction
          .insertInto('event_postings')
          .values(rows.slice(start, start + insertedMax))
          .execute()
      }
    }
    const { segment, offset } = position
    await transaction
      .insertInto('event_index_positions')
      .values(position)
      .onConflict((conflict) => conflict.column('stream').doUpdateSet({ segment, offset }))
      .execute()
  })
}

export async function listEventBlocks(
  query: Kysely<Schema>,
  { day, token, from, until, before, limit }: BlockPage,
): Promise<readonly BlockRef[]> {
  const rows = await query
    .selectFrom('event_postings')
    .select(['last_time', 'block'])
    .where('day', '=', day)
    .where('token', '=', token)
    .where('last_time', '>=', from)
    .where('first_time', '<=', until)
    .$if(before !== undefined, (postings) =>
      postings.where((row) =>
        row.eb(
          row.refTuple('last_time', 'block'),
          '<',
          row.tuple(before?.lastTime ?? 0, before?.block ?? 0),
        ),
      ),
    )
    .orderBy('last_time', 'desc')
    .orderBy('block', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ last_time: lastTime, block }) => ({ lastTime, block }))
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
    .select(['block', 'day'])
    .where('day', '<', day)
    .orderBy('day')
    .limit(deletedMax)
    .execute()
  const [first] = blocks
  if (first === undefined) return false
  const ids = blocks.flatMap((row) => (row.day === first.day ? [row.block] : []))
  const last = ids.length < deletedMax
  await query.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('event_blocks').where('block', 'in', ids).execute()
    // A day's postings go with its last blocks. Until then, postings of deleted blocks find
    // nothing.
    if (last) await transaction.deleteFrom('event_postings').where('day', '<=', first.day).execute()
  })
  return true
}
