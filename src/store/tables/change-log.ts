/**
 * The numbers of changes, and the records that each affected.
 *
 * INVARIANT (ordered changes): the last statements of a transaction take its number, under the lock
 * of `change_head`'s only row, so that transactions commit in the order of their numbers.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'
import type { Change } from '../change.ts'

/** How many changes the log keeps. A reader that is further behind drops its whole cache. */
export const loggedChangesMax = 100_000

/** Most changes in one answer. A reader with more to apply is as fast if it drops its cache. */
export const answeredChangesMax = 10_000

const insertedMax = 1000

type Touched = Omit<Change, 'seq'>

/** Collects the records that a transaction affects, each once. */
export function createTouched(): {
  readonly touch: (change: Touched) => void
  readonly all: () => readonly Touched[]
} {
  const touched = new Map<string, Touched>()
  return {
    touch: (change) => touched.set(JSON.stringify(Object.values(change)), change),
    all: () => [...touched.values()],
  }
}

/**
 * Returns the number of the transaction's change, which is taken once; undefined while nothing is
 * affected.
 */
export type ChangeNumber = () => Promise<number | undefined>

export function createChangeNumber(
  query: Kysely<Schema>,
  touched: () => readonly Touched[],
): ChangeNumber {
  let taken: Promise<number> | undefined
  return async () => (touched().length === 0 ? undefined : (taken ??= nextNumber(query)))
}

async function nextNumber(query: Kysely<Schema>): Promise<number> {
  const { seq } = await query
    .updateTable('change_head')
    .set(({ eb }) => ({ seq: eb('seq', '+', 1) }))
    .where('id', '=', 1)
    .returning('seq')
    .executeTakeFirstOrThrow()
  return seq
}

/**
 * Ends a transaction: what it affected gets its number. A transaction that affected nothing gets
 * none.
 */
export async function recordChange(
  query: Kysely<Schema>,
  touched: readonly Touched[],
  number: ChangeNumber,
): Promise<void> {
  const seq = await number()
  if (seq === undefined) return
  const rows = touched.map(({ kind, accountId, region, id }, position) => ({
    seq,
    position,
    kind,
    account_id: accountId,
    region,
    id,
  }))
  for (let start = 0; start < rows.length; start += insertedMax) {
    await query
      .insertInto('change_log')
      .values(rows.slice(start, start + insertedMax))
      .execute()
  }
  await query
    .deleteFrom('change_log')
    .where('seq', '<=', seq - loggedChangesMax)
    .execute()
}

/** Leaves a gap in the log. A reader that meets it drops its whole cache. */
export async function skipChanges(query: Kysely<Schema>, upTo: number): Promise<void> {
  await query
    .updateTable('change_head')
    .set({ seq: upTo })
    .where('id', '=', 1)
    .where('seq', '<', upTo)
    .execute()
}

/** Returns the changes after `seq` in order; undefined if the log does not have all of them. */
export async function changesSince(
  query: Kysely<Schema>,
  seq: number,
): Promise<readonly Change[] | undefined> {
  // One statement, so that the head and the log are from the same moment.
  const found = await query
    .selectFrom('change_head')
    .leftJoin('change_log', (join) => join.on('change_log.seq', '>', seq))
    .select([
      'change_head.seq as head',
      'change_log.seq',
      'change_log.kind',
      'change_log.account_id',
      'change_log.region',
      'change_log.id',
    ])
    .where('change_head.id', '=', 1)
    .orderBy('change_log.seq')
    .orderBy('change_log.position')
    .limit(answeredChangesMax + 1)
    .execute()
  if (found.length > answeredChangesMax) return undefined
  const head = found[0]?.head
  if (head === seq) return []
  const changes = found.flatMap(changeOf)
  // Every number has at least one row, so a log that starts later or ends sooner has lost some.
  if (changes[0]?.seq !== seq + 1 || changes.at(-1)?.seq !== head) return undefined
  return changes
}

interface LoggedChange {
  readonly seq: number | null
  readonly kind: string | null
  readonly account_id: string | null
  readonly region: string | null
  readonly id: string | null
}

function changeOf(row: LoggedChange): readonly Change[] {
  const { seq, kind, account_id: accountId, region, id } = row
  if (seq === null || kind === null || accountId === null || region === null || id === null) {
    return []
  }
  return [{ seq, kind: kind as Change['kind'], accountId, region, id }]
}
