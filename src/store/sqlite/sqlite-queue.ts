/**
 * The queue for the one connection: requests run first come, first served. A transaction is an
 * exclusive lease; while it lasts, only its holder's statements run.
 * @module
 */
import { failureOf } from './sqlite-failure.ts'
import type { SqliteConnection } from './sqlite.ts'
import type { SqliteFailure, SqliteRequest, SqliteResponse } from './sqlite-protocol.ts'

/** One client of the queue. */
export interface SqliteSession {
  readonly answer: (response: SqliteResponse) => void
}

export interface SqliteQueue {
  readonly take: (session: SqliteSession, request: SqliteRequest) => void
  /** The client has gone: rolls back its transaction and drops its waiting requests. */
  readonly leave: (session: SqliteSession) => void
  /** Rolls back the open transaction. Waiting requests are never answered. */
  readonly stop: () => void
}

export interface SqliteQueueSettings {
  readonly leaseMs: number
  /** Called with the change number of each transaction after its commit, before the answer. */
  readonly committed: (changeNumber: number) => void
  /** Called after a failure was answered, if no later statement may run. */
  readonly fatal: (failure: SqliteFailure) => void
}

/** More than the server admits at once. A client that sends more does not wait for answers. */
const waitingMax = 10_000

type Result = Extract<SqliteResponse, { readonly result: unknown }>['result']

export function createSqliteQueue(
  connection: SqliteConnection,
  { leaseMs, committed, fatal }: SqliteQueueSettings,
): SqliteQueue {
  let waiting: { readonly session: SqliteSession; readonly request: SqliteRequest }[] = []
  const fail = (session: SqliteSession, id: number, failure: SqliteFailure): void => {
    session.answer({ id, failure })
    if (failure.kind === 'fatal') fatal(failure)
  }
  const attempt = (session: SqliteSession, id: number, act: () => Result): void => {
    let result: Result
    try {
      result = act()
    } catch (error) {
      return fail(session, id, failureOf(error))
    }
    session.answer({ id, result })
  }
  const serve = (): void => {
    while (!lease.isHeld()) {
      const next = waiting.shift()
      if (next === undefined) return
      const { session, request } = next
      attempt(session, request.id, () =>
        request.kind === 'run'
          ? connection.run(request.sql, request.parameters)
          : lease.grant(session),
      )
    }
  }
  const lease = createLease(connection, leaseMs, serve)
  const proceed = (session: SqliteSession, request: SqliteRequest): void => {
    if (request.kind === 'run') {
      // SQLite rolls back by itself after some failures. Later statements must not run outside a
      // transaction.
      if (!connection.inTransaction()) return fail(session, request.id, rolledBack)
      lease.renew()
      return attempt(session, request.id, () => connection.run(request.sql, request.parameters))
    }
    lease.release()
    attempt(session, request.id, () => {
      if (request.kind === 'commit') {
        const changeNumber = connection.changeNumber()
        connection.commit()
        committed(changeNumber)
      } else connection.rollback()
      return undefined
    })
    return serve()
  }
  return {
    take(session, request) {
      const number = request.kind === 'begin' ? 0 : request.lease
      if (number === 0) {
        if (waiting.length >= waitingMax) return fail(session, request.id, tooMany)
        waiting.push({ session, request })
        return serve()
      }
      if (lease.isHeld(session, number)) return proceed(session, request)
      // After the end of the lease, there is nothing left to roll back.
      if (request.kind === 'rollback') return session.answer({ id: request.id, result: undefined })
      return fail(session, request.id, leaseOver)
    },
    leave(session) {
      waiting = waiting.filter((entry) => entry.session !== session)
      if (lease.isHeld(session)) lease.abandon()
    },
    stop: () => {
      waiting = []
      if (lease.isHeld()) lease.abandon()
    },
  }
}

interface Lease {
  readonly isHeld: (session?: SqliteSession, number?: number) => boolean
  readonly grant: (session: SqliteSession) => number
  /** Restarts the holder's time, because it is active. */
  readonly renew: () => void
  readonly release: () => void
  /** Releases the lease and rolls back. */
  readonly abandon: () => void
}

function createLease(connection: SqliteConnection, leaseMs: number, onFree: () => void): Lease {
  let granted = 0
  let holder: SqliteSession | undefined
  let timer: NodeJS.Timeout | undefined
  const release = (): void => {
    clearTimeout(timer)
    holder = undefined
  }
  const abandon = (): void => {
    release()
    connection.rollback()
    onFree()
  }
  return {
    isHeld: (session, number) =>
      holder !== undefined &&
      (session === undefined || session === holder) &&
      (number === undefined || number === granted),
    grant(session) {
      connection.begin()
      granted += 1
      holder = session
      timer = setTimeout(abandon, leaseMs)
      return granted
    },
    renew: () => timer?.refresh(),
    release,
    abandon,
  }
}

const leaseOver: SqliteFailure = {
  kind: 'lease',
  message: 'the transaction was idle for too long and was rolled back',
}

const rolledBack: SqliteFailure = {
  kind: 'refused',
  message: 'the database rolled the transaction back when an earlier statement failed',
}

const tooMany: SqliteFailure = {
  kind: 'refused',
  message: 'too many statements wait for the database',
}
