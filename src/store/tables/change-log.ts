/**
 * The numbers of changes, and what each touched.
 *
 * INVARIANT (ordered changes): a number is taken by the last statements of its transaction, its records and
 * its end, under the lock of `change_head`'s one row, so that transactions commit in the order of their
 * numbers.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'
import type { Change } from '../change.ts'

/** How many numbers back the log goes. Who is further behind forgets all it knows. */
export const loggedChangesMax = 100_000

/** Who has more to catch up with is as fast by starting afresh, and one answer stays small. */
export const answeredChangesMax = 10_000

const insertedMax = 1000

type Touched = Omit<Change, 'seq'>

/** Gathers what a transaction touches, each thing once. */
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

/** Answers the number of a transaction's change, which is taken once; undefined while it touches nothing. */
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

/** Ends a transaction: what it touched gets its number; none when it touched nothing. */
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

/** The log has a gap then: whoever reads it forgets all it knows. */
export async function skipChanges(query: Kysely<Schema>, upTo: number): Promise<void> {
  await query
    .updateTable('change_head')
    .set({ seq: upTo })
    .where('id', '=', 1)
    .where('seq', '<', upTo)
    .execute()
}

/** Changes after `seq` in order, or undefined when the log does not tell them all. */
export async function changesSince(
  query: Kysely<Schema>,
  seq: number,
): Promise<readonly Change[] | undefined> {
  // One statement sees the head and the log at the same moment.
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
  // Every number has a row: a log that starts later, or stops sooner, has lost some.
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
