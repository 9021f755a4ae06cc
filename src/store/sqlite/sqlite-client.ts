/**
 * A client of the store thread: it sends statements over a message port and returns promises. It
 * never blocks the event loop.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import { createLink } from '../../threads/link.ts'
import { DatabaseFailed } from '../database.ts'
import { sqliteFailures } from './sqlite-failure.ts'
import type {
  SqliteBatch,
  SqliteQuestions,
  SqliteResult,
  SqliteStatement,
} from './sqlite-protocol.ts'

export interface SqliteClient {
  /** Runs a statement outside of transactions. */
  readonly run: (statement: SqliteStatement) => Promise<SqliteResult>
  /** Runs statements of a transaction. Returns the result of the last one. */
  readonly transact: (batch: SqliteBatch) => Promise<SqliteResult>
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
    run: (statement) => link.ask('run', statement),
    transact: (batch) => link.ask('transact', batch),
    close() {
      closed = true
      link.end(new DatabaseFailed('the database was closed'))
      port.close()
    },
  }
}
