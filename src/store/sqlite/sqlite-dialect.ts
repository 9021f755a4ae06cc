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
import { DatabaseFailed } from '../database.ts'
import type { SqliteClient } from './sqlite-client.ts'

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
  #lease = 0
  #released = false

  constructor(client: SqliteClient) {
    this.#client = client
  }

  async begin(): Promise<void> {
    this.#lease = await this.#client.begin()
  }

  async commit(): Promise<void> {
    await this.#client.commit(this.#lease)
  }

  async rollback(): Promise<void> {
    try {
      await this.#client.rollback(this.#lease)
    } catch (error) {
      // The transaction ended with the thread. The caller must see the error that made it roll
      // back.
      if (!(error instanceof DatabaseFailed)) throw error
    }
  }

  release(): void {
    this.#released = true
  }

  async executeQuery<R>({ query, sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    // A statement sent after the end of its transaction must not run outside of it.
    if (this.#released) throw new Error('the connection was released')
    const { rows, affected } = await this.#client.run(this.#lease, sql, parameters)
    // Kysely's types describe the columns of its statement.
    const asked = checkAskedRows(query, rows) as readonly unknown[] as R[]
    return { rows: asked, numAffectedRows: BigInt(affected) }
  }

  // oxlint-disable-next-line require-yield -- no result is so large that it needs streaming
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('results are not streamed')
  }
}

function driverOf(client: SqliteClient): Driver {
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(new LeasedConnection(client)),
    beginTransaction: (connection) => leased(connection).begin(),
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
