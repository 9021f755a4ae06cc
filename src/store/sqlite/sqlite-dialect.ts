/**
 * Kysely's SQLite dialect over a message port. A connection here only names a lease: the one real
 * connection is in the store thread, which decides whose turn it is.
 * @module
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { checkAskedRows } from '../asked-rows.ts'
import { deferralOf } from '../deferred.ts'
import type { SqliteClient } from './sqlite-client.ts'
import type { SqliteBatch, SqliteResult, SqliteStep, SqliteValue } from './sqlite-protocol.ts'

export function sqliteDialect(client: SqliteClient): Dialect {
  return {
    createAdapter: () => new SharedAdapter(),
    createDriver: () => driverOf(client),
    createIntrospector: (query) => new SqliteIntrospector(query),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/**
 * Lets Kysely open several connections: the store thread has the queue, and a fairer one than
 * Kysely's.
 */
class SharedAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class LeasedConnection implements DatabaseConnection {
  readonly #client: SqliteClient
  /** The number of the transaction; undefined outside of one. */
  #lease: number | undefined
  /** Its first statements, until they are answered. */
  #beginning: Promise<SqliteResult> | undefined
  #deferred: SqliteStep[] = []
  #released = false

  constructor(client: SqliteClient) {
    this.#client = client
  }

  /** The transaction begins in the database with its first statement. */
  begin(lease: number): void {
    this.#lease = lease
  }

  async commit(): Promise<void> {
    if (this.#beginning !== undefined || this.#deferred.length > 0) await this.#send([], 'commit')
  }

  async rollback(): Promise<void> {
    this.#deferred = []
    if (this.#beginning === undefined) return
    // INVARIANT (answer after commit): a failure takes the place of the error that made it roll back. That
    // error may rest on rows of other changes, which were never committed.
    await this.#send([], 'rollback')
  }

  release(): void {
    this.#released = true
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    // A statement sent after the end of its transaction must not run outside of it.
    if (this.#released) throw new Error('the connection was released')
    const { query, sql } = compiled
    const step = { sql, parameters: compiled.parameters.map(toSqlite) }
    const deferral = this.#lease === undefined ? undefined : deferralOf(compiled)
    if (deferral !== undefined) {
      this.#deferred.push({ ...step, ...deferral })
      return { rows: [] }
    }
    const { rows, affected } = await this.#run(step)
    // Kysely's types describe the columns of its statement.
    const asked = checkAskedRows(query, rows) as readonly unknown[] as R[]
    return { rows: asked, numAffectedRows: BigInt(affected) }
  }

  #run(step: SqliteStep): Promise<SqliteResult> {
    return this.#lease === undefined ? this.#client.run(step) : this.#send([step])
  }

  async #send(steps: readonly SqliteStep[], ends?: SqliteBatch['ends']): Promise<SqliteResult> {
    const begins = this.#beginning === undefined
    const batch = { lease: this.#lease ?? 0, begins, steps: [...this.#deferred, ...steps] }
    this.#deferred = []
    // The store thread must know the transaction before it gets more of its statements.
    if (!begins) await this.#beginning?.catch(() => undefined)
    const answer = this.#client.transact(ends === undefined ? batch : { ...batch, ends })
    this.#beginning ??= answer
    return answer
  }

  // oxlint-disable-next-line require-yield -- no result is so large that it needs streaming
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('results are not streamed')
  }
}

function driverOf(client: SqliteClient): Driver {
  let leases = 0
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(new LeasedConnection(client)),
    beginTransaction(connection) {
      leases += 1
      return Promise.resolve(leased(connection).begin(leases))
    },
    commitTransaction: (connection) => leased(connection).commit(),
    rollbackTransaction: (connection) => leased(connection).rollback(),
    releaseConnection: (connection) => Promise.resolve(leased(connection).release()),
    destroy: () => Promise.resolve(client.close()),
  }
}

function leased(connection: DatabaseConnection): LeasedConnection {
  if (!(connection instanceof LeasedConnection))
    throw new TypeError('not a connection of this dialect')
  return connection
}

/**
 * Checks that SQLite can store the value. A view of a larger buffer is copied, because the message
 * would otherwise carry the whole buffer.
 */
function toSqlite(value: unknown): SqliteValue {
  if (value === null || typeof value === 'string' || typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new TypeError(`a ${typeof value} parameter cannot be stored`)
}
