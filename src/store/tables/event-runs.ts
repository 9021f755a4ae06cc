/**
 * Runs of the event index: sorted postings of one day. Saving events adds a small run, and merging
 * makes few large runs of many small ones, so that postings are written in order and a look-up
 * reads few pages (`docs/adr/0014-event-index.md`).
 *
 * INVARIANT (one run or the other): a look-up sees either the merged run or all runs that it was
 * made from. Until a merge is complete, its run is being written; after it, the others are over. Only runs
 * that are over lose their pages, and nothing takes them into use again. So of two merges at one moment, one
 * completes, and the other one has no effect.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'
import {
  decodePage,
  encodePage,
  keyOf,
  pageMax,
  pagesOf,
  postingsBetween,
  readPosting,
  type BlockRef,
  type Posting,
  type PostingPage,
  type Token,
} from './event-postings.ts'

export type { BlockRef } from './event-postings.ts'

/** Selects blocks of one day, latest first. */
export interface BlockPage {
  readonly day: number
  readonly token: Token
  /** The range of event times; both bounds are included. */
  readonly from: number
  readonly until: number
  readonly before: BlockRef
}

export interface FoundBlocks {
  readonly refs: readonly BlockRef[]
  /** Where the next page begins. Absent on the last page. */
  readonly next?: BlockRef
}

/** This many runs of one level are merged into one of the next level. */
const mergedMax = 16
/** The levels of runs that are not used: one that is being written, and one that may be deleted. */
const writing = -1
const over = -2
const readPagesMax = 4
const writtenPagesMax = 32
const deletedPagesMax = 256

/** Adds the postings of one day as a run. */
export async function insertRun(
  transaction: Kysely<Schema>,
  day: number,
  postings: readonly Posting[],
): Promise<void> {
  if (postings.length === 0) return
  const times = postings.map(readPosting)
  const firstTime = times.reduce((least, time) => Math.min(least, time.firstTime), Infinity)
  const lastTime = times.reduce((most, time) => Math.max(most, time.lastTime), 0)
  const run = await insertRunRow(transaction, { day, level: 0, firstTime, lastTime })
  await insertPages(transaction, run, pagesOf(postings.toSorted()))
}

async function insertRunRow(
  query: Kysely<Schema>,
  { day, level, firstTime, lastTime }: Omit<Run, 'run'>,
): Promise<number> {
  const { run } = await query
    .insertInto('event_runs')
    .values({ day, level, first_time: firstTime, last_time: lastTime })
    .returning('run')
    .executeTakeFirstOrThrow()
  return run
}

async function insertPages(
  query: Kysely<Schema>,
  run: number,
  pages: readonly PostingPage[],
): Promise<void> {
  for (let start = 0; start < pages.length; start += writtenPagesMax) {
    const rows = pages.slice(start, start + writtenPagesMax).map((page) => ({ run, ...page }))
    await query.insertInto('event_run_pages').values(rows).execute()
  }
}

/** Latest first. */
export async function listEventBlocks(
  query: Kysely<Schema>,
  { day, token, from, until, before }: BlockPage,
): Promise<FoundBlocks> {
  const end = keyOf(token, before)
  const pages = await query
    .selectFrom('event_runs as runs')
    .innerJoin('event_run_pages as pages', 'pages.run', 'runs.run')
    .select(['pages.first', 'pages.content'])
    .where('runs.day', '=', day)
    .where('runs.level', '>=', 0)
    .where('runs.last_time', '>=', from)
    .where('runs.first_time', '<=', until)
    .where('pages.first', '=', (row) =>
      row
        .selectFrom('event_run_pages as earlier')
        .select(({ fn }) => fn.max('earlier.first').as('first'))
        .whereRef('earlier.run', '=', 'runs.run')
        .where('earlier.first', '<', Buffer.from(end, 'latin1')),
    )
    .execute()
  // A page that begins with the token may continue one before it. Behind the first postings of
  // all such pages, no run has more.
  let start = token
  for (const { first } of pages) {
    const text = Buffer.from(first).toString('latin1')
    if (text.startsWith(token) && text > start) start = text
  }
  const refs = pages
    .flatMap(({ content }) => postingsBetween(content, start, end))
    .toSorted()
    .toReversed()
    .map(readPosting)
    .filter(({ firstTime, lastTime }) => lastTime >= from && firstTime <= until)
    .map(({ lastTime, block }) => ({ lastTime, block }))
  if (start === token) return { refs }
  const { lastTime, block } = readPosting(`${start}\0\0\0`)
  return { refs, next: { lastTime, block } }
}

interface Run {
  readonly run: number
  readonly day: number
  readonly level: number
  readonly firstTime: number
  readonly lastTime: number
}

/**
 * Merges some runs, if there are enough. Only one merge may be under way. Each statement is short,
 * so others wait for none of them.
 * @returns whether there may be more to merge
 */
export async function mergeEventRuns(query: Kysely<Schema>): Promise<boolean> {
  // An interrupted merge left it. One that goes on elsewhere has no effect then.
  await query.updateTable('event_runs').set({ level: over }).where('level', '=', writing).execute()
  await deleteRuns(query)
  const runs = await runsToMerge(query)
  const [first] = runs
  if (first === undefined) return false
  const merged = await insertRunRow(query, {
    day: first.day,
    level: writing,
    firstTime: Math.min(...runs.map(({ firstTime }) => firstTime)),
    lastTime: Math.max(...runs.map(({ lastTime }) => lastTime)),
  })
  let pages: PostingPage[] = []
  for await (const page of mergedPages(query, runs)) {
    pages.push(page)
    if (pages.length < writtenPagesMax) continue
    await insertPages(query, merged, pages)
    pages = []
  }
  const level = 1 + Math.max(...runs.map((run) => run.level))
  await query.transaction().execute(async (transaction) => {
    await insertPages(transaction, merged, pages)
    const ids = runs.map(({ run }) => run)
    const used = await setLevel(transaction, [merged], level, 'writing')
    const replaced = await setLevel(transaction, ids, over, 'used')
    // Another node has merged them, or has ended what this one was writing.
    if (!used || !replaced) throw new Error('runs of the event index were merged elsewhere')
  })
  await deleteRuns(query)
  return true
}

/** @returns whether all runs were there with the level that they must have had */
async function setLevel(
  query: Kysely<Schema>,
  runs: readonly number[],
  level: number,
  from: 'writing' | 'used',
): Promise<boolean> {
  const { numUpdatedRows } = await query
    .updateTable('event_runs')
    .set({ level })
    .where('run', 'in', runs)
    .where((row) => (from === 'writing' ? row('level', '=', writing) : row('level', '>=', 0)))
    .executeTakeFirst()
  return numUpdatedRows === BigInt(runs.length)
}

/** Runs of the smallest level that has enough of them; or all runs of a day that is over. */
async function runsToMerge(query: Kysely<Schema>): Promise<readonly Run[]> {
  const levels = await query
    .selectFrom('event_runs')
    .select(({ fn }) => ['day', 'level', fn.countAll<number>().as('count')])
    .where('level', '>=', 0)
    .groupBy(['day', 'level'])
    .orderBy('level')
    .execute()
  const full = levels.find(({ count }) => count >= mergedMax)
  const latest = Math.max(...levels.map(({ day }) => day))
  const past = levels.find(
    ({ day, count }) =>
      day < latest && (count > 1 || levels.filter((other) => other.day === day).length > 1),
  )
  const chosen = full ?? past
  if (chosen === undefined) return []
  const rows = await query
    .selectFrom('event_runs')
    .selectAll()
    .where('day', '=', chosen.day)
    .$if(full === undefined, (all) => all.where('level', '>=', 0))
    .$if(full !== undefined, (all) => all.where('level', '=', chosen.level))
    .orderBy('run')
    .limit(4 * mergedMax)
    .execute()
  return rows.map(({ first_time: firstTime, last_time: lastTime, ...row }) => ({
    ...row,
    firstTime,
    lastTime,
  }))
}

/** The postings of all runs in order. */
async function* mergedPages(
  query: Kysely<Schema>,
  runs: readonly Run[],
): AsyncGenerator<PostingPage> {
  const open: Cursor[] = []
  for (const { run } of runs) {
    const cursor: Cursor = { run, postings: [], at: 0, last: undefined }
    if (await advance(query, cursor)) open.push(cursor)
  }
  let merged: Posting[] = []
  while (open.length > 0) {
    let least = 0
    for (let index = 1; index < open.length; index += 1) {
      if (postingAt(open[index]) < postingAt(open[least])) least = index
    }
    const cursor = open[least]
    if (cursor === undefined) break
    merged.push(postingAt(cursor))
    cursor.at += 1
    if (cursor.at === cursor.postings.length && !(await advance(query, cursor))) {
      open.splice(least, 1)
    }
    if (merged.length < pageMax) continue
    yield encodePage(merged)
    merged = []
  }
  if (merged.length > 0) yield encodePage(merged)
}

/** A position in a run. */
interface Cursor {
  readonly run: number
  postings: readonly Posting[]
  at: number
  /** The key of the last page that was read. */
  last: Uint8Array | undefined
}

function postingAt(cursor: Cursor | undefined): Posting {
  return cursor?.postings[cursor.at] ?? ''
}

/** Reads the next pages of a run. Returns false at its end. */
async function advance(query: Kysely<Schema>, cursor: Cursor): Promise<boolean> {
  for (;;) {
    const { run, last } = cursor
    const pages = await query
      .selectFrom('event_run_pages')
      .select(['first', 'content'])
      .where('run', '=', run)
      .$if(last !== undefined, (all) => all.where('first', '>', last ?? Buffer.of()))
      .orderBy('first')
      .limit(readPagesMax)
      .execute()
    const lastPage = pages.at(-1)
    if (lastPage === undefined) return false
    cursor.last = lastPage.first
    cursor.postings = pages.flatMap(({ content }) => decodePage(content))
    cursor.at = 0
    if (cursor.postings.length > 0) return true
  }
}

/** Deletes the runs that are over. */
async function deleteRuns(query: Kysely<Schema>): Promise<void> {
  const rows = await query
    .selectFrom('event_runs')
    .select('run')
    .where('level', '=', over)
    .execute()
  for (const { run } of rows) {
    while (await deletePages(query, run)) continue
    await query.deleteFrom('event_runs').where('run', '=', run).execute()
  }
}

async function deletePages(query: Kysely<Schema>, run: number): Promise<boolean> {
  const pages = await query
    .selectFrom('event_run_pages')
    .select('first')
    .where('run', '=', run)
    .orderBy('first')
    .limit(deletedPagesMax)
    .execute()
  const last = pages.at(-1)
  if (last === undefined) return false
  await query
    .deleteFrom('event_run_pages')
    .where('run', '=', run)
    .where('first', '<=', last.first)
    .execute()
  return true
}

/** Ends the runs of days before one. The next merge deletes them. */
export async function forgetRunsBefore(query: Kysely<Schema>, day: number): Promise<void> {
  await query.updateTable('event_runs').set({ level: over }).where('day', '<', day).execute()
}
