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
import type { Pool } from './postgres-pool.ts'
import type { PostgresSession, Result } from './postgres-session.ts'

/** How transactions begin and end. */
export interface Boundaries {
  readonly begin: (session: PostgresSession) => Promise<void>
  /** Finds the outcome if that is unknown. */
  readonly commit: (session: PostgresSession) => Promise<void>
  /** The session is in one transaction all the time, so no other one sees what it sees. */
  readonly isOneTransaction?: true
}

const refused = (): Promise<never> => Promise.reject(new Error('the transaction only reads'))

/** For a session that is in one transaction, and only reads. */
export const noTransactions: Boundaries = {
  begin: refused,
  commit: refused,
  isOneTransaction: true,
}

export function postgresDialect(pool: Pool, boundaries: Boundaries): Dialect {
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
  isReleased = false
  #session: PostgresSession
  readonly #readsAgainFrom: Pool | undefined
  /** The deferred writes, of which one runs after the other. Rejected if one has failed. */
  #deferred: Promise<unknown> = Promise.resolve()

  constructor(session: PostgresSession, readsAgainFrom: Pool | undefined) {
    this.#session = session
    this.#readsAgainFrom = readsAgainFrom
  }

  get session(): PostgresSession {
    return this.#session
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    // A statement sent after the end of its transaction must not run in another one.
    if (this.isReleased) throw new Error('the connection was released')
    const deferral = this.session.isOpen ? deferralOf(compiled) : undefined
    if (deferral !== undefined) {
      this.#deferred = this.#deferred.then(() => this.#write(compiled, deferral.rows))
      // The next statement or the commit throws its failure.
      this.#deferred.catch(() => undefined)
      return { rows: [] }
    }
    await this.#deferred
    const { rows, affected } = await this.#run(compiled)
    // Kysely's types describe the columns of its statement.
    const asked = checkAskedRows(compiled.query, rows) as readonly unknown[] as R[]
    return { rows: asked, numAffectedRows: BigInt(affected) }
  }

  /** Waits for the deferred writes. @throws what one of them threw */
  async settle(): Promise<void> {
    await this.#deferred
  }

  async #write(compiled: CompiledQuery, rows: number | undefined): Promise<void> {
    const { affected } = await this.#run(compiled)
    if (rows === undefined || affected === rows) return
    throw new StaleRow(`a statement affected ${affected} rows instead of ${rows}`)
  }

  async #run({ query, sql, parameters }: CompiledQuery): Promise<Result> {
    const result = await this.#session.run(sql, parameters).catch(async (error: unknown) => {
      // A primary that hands over ends its connections. A read has no effect, so it can run again.
      const pool = this.#readsAgainFrom
      const isRead = !this.#session.isOpen && SelectQueryNode.is(query)
      const isBroken = this.#session.isEnded && error instanceof DatabaseFailed
      if (pool === undefined || !isRead || !isBroken) throw error
      pool.release(this.#session)
      this.#session = await pool.acquire()
      return await this.#session.run(sql, parameters)
    })
    if (result.affected === 0 && insertsOneRow(query)) {
      throw new DuplicateRow('a row with the same unique columns is there already')
    }
    return result
  }

  // oxlint-disable-next-line require-yield -- no result is so large that it needs streaming
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('results are not streamed')
  }
}

function driverOf(pool: Pool, { begin, commit, isOneTransaction }: Boundaries): Driver {
  const readsAgainFrom = isOneTransaction === true ? undefined : pool
  return {
    init: () => Promise.resolve(),
    acquireConnection: async () => new PooledConnection(await pool.acquire(), readsAgainFrom),
    beginTransaction: (connection) => begin(pooled(connection).session),
    async commitTransaction(connection) {
      const one = pooled(connection)
      await one.settle()
      await commit(one.session)
    },
    async rollbackTransaction(connection) {
      const one = pooled(connection)
      await one.settle().catch(() => undefined)
      await one.session.rollback()
    },
    async releaseConnection(connection) {
      const one = pooled(connection)
      one.isReleased = true
      pool.release(one.session)
    },
    destroy: () => Promise.resolve(pool.close()),
  }
}

function pooled(connection: DatabaseConnection): PooledConnection {
  if (!(connection instanceof PooledConnection)) throw new TypeError('not of this dialect')
  return connection
}
