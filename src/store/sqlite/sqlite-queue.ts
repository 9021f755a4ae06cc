/**
 * The queue for the one connection: requests run first come, first served. A transaction is an
 * exclusive lease; while it lasts, only its holder's statements run. A transaction that ends while
 * the next one waits commits together with it. A request that need not wait runs at once, and its
 * result is not a promise.
 * @module
 */
import { failureOf, SqliteRefused } from './sqlite-failure.ts'
import { createSqliteGroup, rolledBack, type SqliteGroup } from './sqlite-group.ts'
import { noResult, runSteps } from './sqlite-steps.ts'
import type { SqliteConnection } from './sqlite.ts'
import type {
  SqliteBatch,
  SqliteFailure,
  SqliteResult,
  SqliteStatement,
} from './sqlite-protocol.ts'

type Result = SqliteResult | Promise<SqliteResult>

/** One client of the queue. It throws what the database throws, or `SqliteRefused`. */
export interface SqliteSession {
  readonly run: (statement: SqliteStatement) => Result
  readonly transact: (batch: SqliteBatch) => Result
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
  /** Called with the change number of each commit after it, before the answers. */
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
  const guarded: SqliteConnection = {
    ...connection,
    run: (sql, parameters) => attempt(() => connection.run(sql, parameters)),
    begin: () => attempt(connection.begin),
    commit: () => attempt(connection.commit),
  }
  const group = createSqliteGroup(guarded, committed)
  const line = createLine(group, () => lease.isHeld())
  const lease = createLease(leaseMs, () => void end(group.undo).catch(() => undefined))
  const end = (act: () => Promise<void>): Promise<SqliteResult> => {
    lease.release()
    try {
      return act().then(() => noResult)
    } finally {
      line.serve()
    }
  }
  const work = (batch: SqliteBatch): Result => {
    const { steps, ends } = batch
    // Later statements must not run outside a transaction.
    if (steps.length > 0 && !connection.inTransaction()) throw new SqliteRefused(rolledBack)
    lease.renew()
    const { result, failure } = runSteps(guarded, batch)
    if (failure !== undefined) return end(group.undo).then(() => Promise.reject(failure))
    if (ends === undefined) return result
    return end(ends === 'commit' ? group.keep : group.undo)
  }
  const begin = (holder: Holder, batch: SqliteBatch): Result => {
    group.begin()
    lease.grant(holder, batch.lease)
    return work(batch)
  }
  const enter = (): SqliteSession => {
    const holder: Holder = {}
    return {
      run: ({ sql, parameters }) =>
        line.run({ holder, begins: false, act: () => guarded.run(sql, parameters) }),
      transact(batch) {
        if (batch.begins) {
          return line.run({ holder, begins: true, act: () => begin(holder, batch) })
        }
        if (lease.isHeld(holder, batch.lease)) return work(batch)
        // After the end of the lease, there is nothing left to roll back.
        if (batch.ends === 'rollback') return noResult
        throw new SqliteRefused(leaseOver)
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

interface Request {
  readonly holder: Holder
  /** Whether it begins a transaction. */
  readonly begins: boolean
  readonly act: () => Result
}

/** The requests that wait for the end of a transaction. */
interface Line {
  /** Runs a request at once, or when the requests before it have been served. */
  readonly run: (request: Request) => Result
  /**
   * Serves those that wait, until one of them holds the connection. Commits the group before a
   * request that does not join it.
   */
  readonly serve: () => void
  readonly leave: (holder: Holder) => void
  readonly empty: () => void
}

function createLine(group: SqliteGroup, isHeld: () => boolean): Line {
  let waiting: (Request & { readonly serve: () => void })[] = []
  let isServing = false
  const serveAll = (): void => {
    while (!isHeld()) {
      const [next] = waiting
      if (group.isOpen() && (next?.begins !== true || group.isFull())) group.commit()
      if (next === undefined) return
      waiting.shift()
      next.serve()
    }
  }
  return {
    run(request) {
      if (!isHeld() && !isServing) return request.act()
      if (waiting.length >= waitingMax) throw new SqliteRefused(tooMany)
      return new Promise((resolve, reject) => {
        const serve = (): void => {
          try {
            resolve(request.act())
          } catch (error) {
            reject(error)
          }
        }
        waiting.push({ ...request, serve })
      })
    },
    serve() {
      // A request that is served may end its transaction at once.
      if (isServing) return
      isServing = true
      serveAll()
      isServing = false
    },
    leave(holder) {
      waiting = waiting.filter((request) => request.holder !== holder)
    },
    empty() {
      waiting = []
    },
  }
}

interface Lease {
  readonly isHeld: (holder?: Holder, number?: number) => boolean
  readonly grant: (holder: Holder, number: number) => void
  /** Restarts the holder's time, because it is active. */
  readonly renew: () => void
  readonly release: () => void
  /** Ends the lease without its holder. */
  readonly abandon: () => void
}

function createLease(leaseMs: number, abandon: () => void): Lease {
  let granted = 0
  let holder: Holder | undefined
  let timer: NodeJS.Timeout | undefined
  return {
    isHeld: (asked, number) =>
      holder !== undefined &&
      (asked === undefined || asked === holder) &&
      (number === undefined || number === granted),
    grant(asked, number) {
      granted = number
      holder = asked
      timer = setTimeout(abandon, leaseMs)
    },
    renew: () => timer?.refresh(),
    release() {
      clearTimeout(timer)
      holder = undefined
    },
    abandon,
  }
}

const leaseOver: SqliteFailure = {
  kind: 'lease',
  message: 'the transaction was idle for too long and was rolled back',
}

const tooMany: SqliteFailure = {
  kind: 'refused',
  message: 'too many statements wait for the database',
}
