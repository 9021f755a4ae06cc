/**
 * The numbers of changes, the records that each affected, and the versions at which it left their rows.
 *
 * INVARIANT (ordered changes): a transaction takes its number from `change_head`'s only row, whose
 * lock it has had from its first statement on, so that transactions commit in the order of their
 * numbers.
 *
 * INVARIANT (no holes): each number from the log's first one to `change_head` has a row, or a later row says
 * that it was skipped. So `trent verify-database` finds rows that were put back, as far back as the log goes.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Change, ChangeReads } from '../change.ts'
import { defer } from '../deferred.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { changeLog, type LoggedChange } from '../schema/changes.ts'
import type { Row, Schema } from '../schema/schema.ts'
import { insertRecords } from './table-rows.ts'

/** How many changes the log keeps. A reader that is further behind drops its whole cache. */
export const loggedChangesMax = 100_000

/** Most changes in one answer. A reader with more to apply is as fast if it drops its cache. */
export const answeredChangesMax = 10_000

/** How often the log is pruned. Until then it keeps a few changes more. */
const prunedEach = 100

type Touched = Omit<Change, 'seq'> & Pick<LoggedChange, 'rowVersion'>

/** Collects the records that a transaction affects, each once, with its last version. */
export function createTouched(): {
  readonly touch: WriteScope['touch']
  readonly all: () => readonly Touched[]
} {
  const touched = new Map<string, Touched>()
  return {
    touch(change, rowVersion) {
      const name = JSON.stringify(Object.values(change))
      const version = rowVersion ?? touched.get(name)?.rowVersion
      touched.set(name, { ...change, ...(version !== undefined && { rowVersion: version }) })
    },
    all: () => [...touched.values()],
  }
}

/** A change of the database: its number, and a random id that no other change has. */
export interface NumberedChange {
  readonly seq: number
  /** 16 lower-case hex digits. */
  readonly changeId: string
}

const changeIdBytes = 8

/** The log of changes, as a transaction reads it and adds to it. */
export interface OpenChange {
  readonly changesSince: ChangeReads['changesSince']
  /**
   * Returns the number of the transaction's change, which is taken once; undefined while nothing is
   * affected.
   */
  readonly number: () => Promise<NumberedChange | undefined>
  /** Skips the numbers up to this one. A reader that meets the gap in the log drops its cache. */
  readonly skip: (upTo: number) => Promise<void>
}

export function openChange(scope: RowScope, touched: () => readonly Touched[]): OpenChange {
  const { query } = scope
  // Nobody else can change it until this transaction ends.
  let head: number | undefined
  let taken: Promise<NumberedChange> | undefined
  /** Number and id in one statement, so that nobody sees one without the other. */
  const move = async (from: number, seq: number): Promise<NumberedChange> => {
    const changeId = randomBytes(changeIdBytes).toString('hex')
    const update = query
      .updateTable('change_head')
      .set({ seq, change_id: changeId })
      .where('id', '=', 1)
    await defer(query, update.where('seq', '=', from), { rows: 1 })
    head = seq
    return { seq, changeId }
  }
  const next = async (): Promise<NumberedChange> => {
    const from = head ?? (await headOf(query))
    return move(from, from + 1)
  }
  return {
    async changesSince(seq) {
      const found = await readLog(query, seq)
      head = found.head
      return found.changes
    },
    number: async () => (touched().length === 0 ? undefined : (taken ??= next())),
    async skip(upTo) {
      const seq = await headOf(query)
      if (seq >= upTo) return
      const skipped = await move(seq, upTo)
      const mark = { kind: 'everything', accountId: '', region: '', id: `after/${seq}` } as const
      await insertRecords(changeLog, scope, [{ ...mark, ...skipped, position: 0 }])
    },
  }
}

/**
 * Ends a transaction: what it affected gets its number. A transaction that affected nothing gets
 * none.
 */
export async function recordChange(
  scope: RowScope,
  touched: readonly Touched[],
  { number }: Pick<OpenChange, 'number'>,
): Promise<void> {
  const change = await number()
  if (change === undefined) return
  const { seq } = change
  const logged = touched.map((each, position) => ({ ...each, ...change, position }))
  await insertRecords(changeLog, scope, logged)
  if (seq % prunedEach !== 0) return
  const { query } = scope
  await defer(query, query.deleteFrom('change_log').where('seq', '<=', seq - loggedChangesMax))
}

async function headOf(query: Kysely<Schema>): Promise<number> {
  const { seq } = await query
    .selectFrom('change_head')
    .select('seq')
    .where('id', '=', 1)
    .executeTakeFirstOrThrow()
  return seq
}

const skippedMark = /^after\/(\d+)$/

/** For a row that says that numbers were skipped, up to its own: the last one before them. */
export function skippedAfter({ kind, id }: Pick<LoggedChange, 'kind' | 'id'>): number | undefined {
  const after = kind === 'everything' ? skippedMark.exec(id)?.[1] : undefined
  return after === undefined ? undefined : Number(after)
}

/** Changes after `seq` in order, or undefined when the log does not tell them all. */
export async function changesSince(
  query: Kysely<Schema>,
  seq: number,
): Promise<readonly Change[] | undefined> {
  const { changes } = await readLog(query, seq)
  return changes
}

interface ReadLog {
  /** The number of the last change. */
  readonly head: number | undefined
  readonly changes: readonly Change[] | undefined
}

async function readLog(query: Kysely<Schema>, seq: number): Promise<ReadLog> {
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
  const head = found[0]?.head
  if (found.length > answeredChangesMax) return { head, changes: undefined }
  if (head === seq) return { head, changes: [] }
  const changes = found.flatMap(changeOf)
  // Every number has at least one row, so a log that starts later or ends sooner has lost some.
  const isWhole = changes[0]?.seq === seq + 1 && changes.at(-1)?.seq === head
  return { head, changes: isWhole ? changes : undefined }
}

type Found = { readonly [M in keyof Row<'change_log'>]: Row<'change_log'>[M] | null }

function changeOf(
  row: Pick<Found, 'seq' | 'kind' | 'account_id' | 'region' | 'id'>,
): readonly Change[] {
  const { seq, kind, account_id: accountId, region, id } = row
  if (seq === null || kind === null || accountId === null || region === null || id === null) {
    return []
  }
  return [{ seq, kind: kind as Change['kind'], accountId, region, id }]
}
