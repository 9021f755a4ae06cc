/**
 * The queue for the one connection: requests run first come, first served. A transaction is an
 * exclusive lease; while it lasts, only its holder's statements run. A request that need not wait
 * runs at once, and its result is not a promise.
 * @module
 */
import { failureOf, SqliteRefused } from './sqlite-failure.ts'
import type { SqliteConnection } from './sqlite.ts'
import type { SqliteFailure, SqliteResult, SqliteStatement } from './sqlite-protocol.ts'

/** One client of the queue. It throws what the database throws, or `SqliteRefused`. */
export interface SqliteSession {
  readonly run: (statement: SqliteStatement) => SqliteResult | Promise<SqliteResult>
  /** Returns the number of a lease. */
  readonly begin: () => number | Promise<number>
  readonly commit: (lease: number) => void
  readonly rollback: (lease: number) => void
  /** The client has gone: rolls back its transaction and drops its waiting requests. */
  readonly leave: () => void
}

export interface SqliteQueue {
  readonly enter: () => SqliteSession
  /** Rolls back the open transaction. Waiting requests are never answered. */
  readonly stop: () => void
}

export interface SqliteQueueSettings {
  readonly leaseMs: number
  /** Called with the change number of each transaction after its commit, before the answer. */
  readonly committed: (changeNumber: number) => void
  /** Called after a failure that ends the database. Every later request fails in the same way. */
  readonly fatal: (failure: SqliteFailure) => void
}

/** More than the server admits at once. A client that sends more does not wait for answers. */
const waitingMax = 10_000

type Holder = object

export function createSqliteQueue(
  connection: SqliteConnection,
  { leaseMs, committed, fatal }: SqliteQueueSettings,
): SqliteQueue {
  const attempt = untilFatal(fatal)
  const line = createLine(attempt, () => lease.isHeld())
  const lease = createLease(connection, leaseMs, line.serve)
  const inTransaction = ({ sql, parameters }: SqliteStatement): SqliteResult => {
    // SQLite rolls back by itself after some failures. Later statements must not run outside a
    // transaction.
    if (!connection.inTransaction()) throw new SqliteRefused(rolledBack)
    lease.renew()
    return attempt(() => connection.run(sql, parameters))
  }
  const end = (act: () => void): void => {
    lease.release()
    try {
      attempt(act)
    } finally {
      line.serve()
    }
  }
  const commit = (): void => {
    const changeNumber = connection.changeNumber()
    connection.commit()
    committed(changeNumber)
  }
  const enter = (): SqliteSession => {
    const holder: Holder = {}
    return {
      run(statement) {
        if (lease.isHeld(holder, statement.lease)) return inTransaction(statement)
        if (statement.lease !== 0) throw new SqliteRefused(leaseOver)
        return line.run(holder, () => connection.run(statement.sql, statement.parameters))
      },
      begin: () => line.run(holder, () => lease.grant(holder)),
      commit(number) {
        if (!lease.isHeld(holder, number)) throw new SqliteRefused(leaseOver)
        end(commit)
      },
      rollback(number) {
        // After the end of the lease, there is nothing left to roll back.
        if (lease.isHeld(holder, number)) end(connection.rollback)
      },
      leave() {
        line.leave(holder)
        if (lease.isHeld(holder)) lease.abandon()
      },
    }
  }
  return {
    enter,
    stop: () => {
      line.empty()
      if (lease.isHeld()) lease.abandon()
    },
  }
}

/** Runs functions until one of them fails in a way that ends the database. */
function untilFatal(fatal: SqliteQueueSettings['fatal']): <T>(act: () => T) => T {
  let ended: unknown
  return (act) => {
    if (ended !== undefined) throw ended
    try {
      return act()
    } catch (error) {
      const failure = failureOf(error)
      if (failure.kind === 'fatal') {
        ended = error
        fatal(failure)
      }
      throw error
    }
  }
}

/** The requests that wait for the end of a transaction. */
interface Line {
  /** Runs `act` at once, or when the requests before it have been served. */
  readonly run: <T>(holder: Holder, act: () => T) => T | Promise<T>
  /** Serves those that wait, until one of them holds the connection. */
  readonly serve: () => void
  readonly leave: (holder: Holder) => void
  readonly empty: () => void
}

function createLine(attempt: <T>(act: () => T) => T, isHeld: () => boolean): Line {
  let waiting: { readonly holder: Holder; readonly serve: () => void }[] = []
  return {
    run(holder, act) {
      if (!isHeld()) return attempt(act)
      if (waiting.length >= waitingMax) throw new SqliteRefused(tooMany)
      return new Promise((resolve, reject) => {
        const serve = (): void => {
          try {
            resolve(attempt(act))
          } catch (error) {
            reject(error)
          }
        }
        waiting.push({ holder, serve })
      })
    },
    serve() {
      while (!isHeld()) {
        const next = waiting.shift()
        if (next === undefined) return
        next.serve()
      }
    },
    leave(holder) {
      waiting = waiting.filter((entry) => entry.holder !== holder)
    },
    empty() {
      waiting = []
    },
  }
}

interface Lease {
  readonly isHeld: (holder?: Holder, number?: number) => boolean
  readonly grant: (holder: Holder) => number
  /** Restarts the holder's time, because it is active. */
  readonly renew: () => void
  readonly release: () => void
  /** Releases the lease and rolls back. */
  readonly abandon: () => void
}

function createLease(connection: SqliteConnection, leaseMs: number, onFree: () => void): Lease {
  let granted = 0
  let holder: Holder | undefined
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
    isHeld: (asked, number) =>
      holder !== undefined &&
      (asked === undefined || asked === holder) &&
      (number === undefined || number === granted),
    grant(asked) {
      connection.begin()
      granted += 1
      holder = asked
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
