/**
 * A client of the store thread: it sends statements over a message port and returns promises. It
 * never blocks the event loop.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import { createLink } from '../../threads/link.ts'
import { DatabaseFailed } from '../database.ts'
import { sqliteFailures } from './sqlite-failure.ts'
import type { SqliteQuestions, SqliteResult, SqliteValue } from './sqlite-protocol.ts'

export interface SqliteClient {
  /** `lease` is the result of `begin`; 0 for a statement outside a transaction. */
  readonly run: (
    lease: number,
    sql: string,
    parameters: readonly unknown[],
  ) => Promise<SqliteResult>
  readonly begin: () => Promise<number>
  readonly commit: (lease: number) => Promise<void>
  readonly rollback: (lease: number) => Promise<void>
  readonly close: () => void
}

/** @param onFailure called once if the thread ends before this client is closed */
export function connectSqlite(
  port: MessagePort,
  onFailure: (error: DatabaseFailed) => void,
): SqliteClient {
  const link = createLink<SqliteQuestions>(port, () => ({}), sqliteFailures)
  let closed = false
  port.on('close', () => {
    if (closed) return
    const error = new DatabaseFailed('the store thread ended')
    link.end(error)
    onFailure(error)
  })
  return {
    run: async (lease, sql, parameters) =>
      link.ask('run', { lease, sql, parameters: parameters.map(toSqlite) }),
    begin: () => link.ask('begin', undefined),
    commit: (lease) => link.ask('commit', lease),
    rollback: (lease) => link.ask('rollback', lease),
    close() {
      closed = true
      link.end(new DatabaseFailed('the database was closed'))
      port.close()
    },
  }
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
