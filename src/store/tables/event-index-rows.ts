/**
 * The index of audit records: blocks of records, and by which tokens they are found. It decides nothing
 * and has no row tags; the journal is what it is made from (`docs/adr/0014-event-index.md`).
 * @module
 */
import type { Kysely } from 'kysely'
import type { CountedCall } from '../../model/usage.ts'
import type { Schema } from '../schema/schema.ts'
import { saveCounts } from './usage-rows.ts'

/** Records of one account and Region, of one hour, and how they are found. */
export interface EventBlock {
  /** Days since the epoch. */
  readonly day: number
  readonly content: Uint8Array
  /** By token, when the first and the last event that has it happened; milliseconds since the epoch. */
  readonly tokens: readonly {
    readonly token: Uint8Array
    readonly firstTime: number
    readonly lastTime: number
  }[]
}

/** Up to where a stream of the journal is in the index. */
export interface IndexPosition {
  readonly stream: string
  readonly segment: number
  /** Frames before it are in. */
  readonly offset: number
}

/** A block that holds events with a token: their latest time, and which block it is. */
export interface BlockRef {
  readonly lastTime: number
  readonly block: number
}

/** Which blocks of a day are looked for; the latest first. */
export interface BlockPage {
  readonly day: number
  readonly token: Uint8Array
  /** Events are looked for from here to there, both included. */
  readonly from: number
  readonly until: number
  readonly before?: BlockRef
  readonly limit: number
}

/** The rows of one statement: bounds its parameters. */
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

/** Saves blocks, and what their records count as, with the position that is reached, in one transaction. */
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

/** Deletes some of what is older than a day; answers whether more may be there. */
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
    // Postings go with the last blocks of their day: until then they lead to nothing.
    if (last) await transaction.deleteFrom('event_postings').where('day', '<=', first.day).execute()
  })
  return true
}
