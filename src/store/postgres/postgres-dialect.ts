/** Kysely's PostgreSQL dialect over a pool of sessions. @module */
import {
  type BinaryOperationNode,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  InsertQueryNode,
  type OperationNode,
  OperatorNode,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  PrimitiveValueListNode,
  type QueryResult,
  type RootOperationNode,
  SelectQueryNode,
  ValuesNode,
} from 'kysely'
import { checkAskedRows } from '../asked-rows.ts'
import { DatabaseFailed } from '../database.ts'
import { deferralOf } from '../deferred.ts'
import { DuplicateRow, StaleRow } from '../row-errors.ts'
import { type Boundaries, ChangeGroups, type GroupedChange } from './postgres-group.ts'
import type { Pool } from './postgres-pool.ts'
import type { PostgresSession, Result } from './postgres-session.ts'

/** For a session that is in one transaction all the time, and only reads. No other one sees what it sees. */
export const noTransactions = 'none'

export function postgresDialect(
  pool: Pool,
  boundaries: Boundaries | typeof noTransactions,
): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driverOf(pool, boundaries),
    createIntrospector: (query) => new PostgresIntrospector(query),
    createQueryCompiler: () => new QueryCompiler(),
  }
}

/**
 * After a statement that fails, PostgreSQL refuses the rest of the transaction. A row that is there
 * already is an expected failure, after which a transaction may go on, so the insert of one row does
 * nothing in that case, and the connection reports it.
 */
class QueryCompiler extends PostgresQueryCompiler {
  /** SQLite accepts a list of nothing, PostgreSQL does not. */
  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const operator = OperatorNode.is(node.operator) ? node.operator.operator : ''
    if (!isEmptyList(node.rightOperand)) super.visitBinaryOperation(node)
    else this.append(operator === 'in' ? 'false' : 'true')
  }

  protected override visitInsertQuery(node: InsertQueryNode): void {
    super.visitInsertQuery(
      insertsOneRow(node) ? InsertQueryNode.cloneWith(node, { onConflict: doNothing }) : node,
    )
  }
}

/** Whether the node compares with a list of nothing. */
function isEmptyList(node: OperationNode): boolean {
  return PrimitiveValueListNode.is(node) && node.values.length === 0
}

const doNothing = { kind: 'OnConflictNode', doNothing: true } as const

function insertsOneRow(node: RootOperationNode): boolean {
  if (!InsertQueryNode.is(node) || node.onConflict !== undefined) return false
  return node.values !== undefined && ValuesNode.is(node.values) && node.values.values.length === 1
}

class PooledConnection implements DatabaseConnection {
  readonly #pool: Pool
  readonly #readsAgain: boolean
  isReleased = false
  /** Of the statements outside of transactions. */
  #own: PostgresSession | undefined
  #change: GroupedChange | undefined
  /** Whether the change has ended, or is ending. Its session may then be another one's. */
  #isOver = false
  /** The writes that nobody waits for. Rejected if one has failed. */
  #deferred: Promise<unknown> = Promise.resolve()

  /** @param readsAgain whether a read whose connection breaks may run on another one */
  constructor(pool: Pool, readsAgain: boolean) {
    this.#pool = pool
    this.#readsAgain = readsAgain
  }

  begin(change: GroupedChange): void {
    this.#change = change
    this.#defer(change.begun)
  }

  async commit(): Promise<void> {
    this.#isOver = true
    await this.#deferred.catch(async (error: unknown) => {
      await this.#change?.undo()
      throw error
    })
    await this.#change?.keep()
  }

  /** Kysely also asks for it after a commit that failed. */
  async rollback(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#deferred.catch(() => undefined)
    await this.#change?.undo()
  }

  release(): void {
    this.isReleased = true
    if (this.#own !== undefined) this.#pool.release(this.#own)
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    // A statement sent after the end of its transaction must not run in another one.
    if (this.isReleased || this.#isOver) throw new Error('the transaction has ended')
    const deferral = this.#change === undefined ? undefined : deferralOf(compiled)
    if (deferral !== undefined) {
      this.#defer(this.#write(compiled, deferral.rows))
      return { rows: [] }
    }
    const running = this.#run(compiled)
    // After a write that failed, it only says that the transaction has failed.
    running.catch(() => undefined)
    await this.#deferred
    const { rows, affected } = await running
    // Kysely's types describe the columns of its statement.
    const asked = checkAskedRows(compiled.query, rows) as readonly unknown[] as R[]
    return { rows: asked, numAffectedRows: BigInt(affected) }
  }

  /** The next statement or the commit throws its failure. */
  #defer(write: Promise<unknown>): void {
    this.#deferred = Promise.all([this.#deferred, write])
    this.#deferred.catch(() => undefined)
  }

  async #write(compiled: CompiledQuery, rows: number | undefined): Promise<void> {
    const { affected } = await this.#run(compiled)
    if (rows === undefined || affected === rows) return
    throw new StaleRow(`a statement affected ${affected} rows instead of ${rows}`)
  }

  async #run({ query, sql, parameters }: CompiledQuery): Promise<Result> {
    const result =
      this.#change === undefined
        ? await this.#runAlone(sql, parameters, SelectQueryNode.is(query))
        : await this.#change.session.run(sql, parameters)
    if (result.affected === 0 && insertsOneRow(query)) {
      throw new DuplicateRow('a row with the same unique columns is there already')
    }
    return result
  }

  /** A primary that hands over ends its connections. A read has no effect, so it can run again. */
  async #runAlone(sql: string, parameters: readonly unknown[], isRead: boolean): Promise<Result> {
    const session = (this.#own ??= await this.#pool.acquire())
    return await session.run(sql, parameters).catch(async (error: unknown) => {
      const isBroken = session.isEnded && error instanceof DatabaseFailed
      if (!this.#readsAgain || !isRead || !isBroken) throw error
      this.#own = undefined
      this.#pool.release(session)
      this.#own = await this.#pool.acquire()
      return await this.#own.run(sql, parameters)
    })
  }

  // oxlint-disable-next-line require-yield -- no result is so large that it needs streaming
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('results are not streamed')
  }
}

function driverOf(pool: Pool, boundaries: Boundaries | typeof noTransactions): Driver {
  const groups = boundaries === noTransactions ? undefined : new ChangeGroups(pool, boundaries)
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(new PooledConnection(pool, groups !== undefined)),
    async beginTransaction(connection) {
      if (groups === undefined) throw new Error('the transaction only reads')
      pooled(connection).begin(await groups.begin())
    },
    commitTransaction: (connection) => pooled(connection).commit(),
    rollbackTransaction: (connection) => pooled(connection).rollback(),
    releaseConnection: (connection) => Promise.resolve(pooled(connection).release()),
    destroy: () => Promise.resolve(pool.close()),
  }
}

function pooled(connection: DatabaseConnection): PooledConnection {
  if (!(connection instanceof PooledConnection)) throw new TypeError('not of this dialect')
  return connection
}
