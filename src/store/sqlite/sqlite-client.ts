/**
 * A client of the store thread: it sends statements over a message port and returns promises. It
 * never blocks the event loop.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import {
  DatabaseFailed,
  DatabaseInUse,
  LeaseExpired,
  StatementFailed,
  TransactionConflict,
} from '../database.ts'
import type {
  SqliteFailure,
  SqliteRequest,
  SqliteResponse,
  SqliteResult,
  SqliteValue,
} from './sqlite-protocol.ts'
import { DuplicateRow } from '../store.ts'

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

interface Pending {
  readonly resolve: (result: SqliteResult | number | undefined) => void
  readonly reject: (error: Error) => void
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never

/** @param onFailure called once if the thread ends before this client is closed */
export function connectSqlite(
  port: MessagePort,
  onFailure: (error: DatabaseFailed) => void,
): SqliteClient {
  const pending = new Map<number, Pending>()
  let sent = 0
  let ended: DatabaseFailed | undefined

  const end = (error: DatabaseFailed): boolean => {
    if (ended !== undefined) return false
    ended = error
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
    return true
  }
  port.on('message', (response: SqliteResponse) => {
    const asked = pending.get(response.id)
    pending.delete(response.id)
    if ('failure' in response) asked?.reject(errorOf(response.failure))
    else asked?.resolve(response.result)
  })
  port.on('close', () => {
    const error = new DatabaseFailed('the store thread ended')
    if (end(error)) onFailure(error)
  })

  // The thread answers each kind of request with the type that the caller names here.
  const ask = <T>(request: Unnumbered<SqliteRequest>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended !== undefined) return reject(ended)
      sent += 1
      const numbered = { ...request, id: sent }
      pending.set(sent, { resolve: resolve as Pending['resolve'], reject })
      return port.postMessage(numbered)
    })
  return {
    run: async (lease, sql, parameters) =>
      ask({ kind: 'run', lease, sql, parameters: parameters.map(toSqlite) }),
    begin: () => ask({ kind: 'begin' }),
    commit: (lease) => ask({ kind: 'commit', lease }),
    rollback: (lease) => ask({ kind: 'rollback', lease }),
    close() {
      end(new DatabaseFailed('the database was closed'))
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

/** Turns a failure in the thread into an error. */
export function errorOf({ kind, message }: SqliteFailure): Error {
  return errors[kind](message)
}

const errors: Readonly<Record<SqliteFailure['kind'], (message: string) => Error>> = {
  duplicate: (message) => new DuplicateRow(message),
  conflict: (message) => new TransactionConflict(message),
  'in-use': () => new DatabaseInUse('the database is in use by another process'),
  lease: (message) => new LeaseExpired(message),
  fatal: (message) => new DatabaseFailed(message),
  refused: (message) => new StatementFailed(message),
}
