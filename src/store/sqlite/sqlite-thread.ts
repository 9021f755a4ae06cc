/**
 * The store thread: it owns the SQLite connection, serves any number of message ports, and raises
 * the epoch. `open.ts` starts it with `StoreThreadSettings`.
 *
 * INVARIANT (epoch before acknowledgement): the epoch holds a change's number before its commit is
 * acknowledged, so that a client that learns of the change finds no cache with the old state.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import { type Answers, createLink, type NoQuestions } from '../../threads/link.ts'
import { serveThread } from '../../threads/thread.ts'
import { failureOf, sqliteFailures, SqliteRefused } from './sqlite-failure.ts'
import { openSqlite, type SqliteConnection } from './sqlite.ts'
import type {
  SqliteFailure,
  SqliteQuestions,
  StoreThreadQuestions,
  StoreThreadSettings,
} from './sqlite-protocol.ts'
import { type SqliteQueue, createSqliteQueue } from './sqlite-queue.ts'

interface OpenStore {
  readonly connection: SqliteConnection
  readonly queue: SqliteQueue
}

function serve(settings: StoreThreadSettings): Answers<StoreThreadQuestions> {
  let opened: OpenStore | undefined
  const whenOpen = (): OpenStore => {
    if (opened === undefined) throw new Error('the database is not open')
    return opened
  }
  return {
    open() {
      try {
        opened = open(settings)
      } catch (error) {
        const failure = failureOf(error)
        // A database that is locked at its opening belongs to another process.
        throw failure.kind === 'conflict'
          ? new SqliteRefused({ ...failure, kind: 'in-use' })
          : error
      }
    },
    attach: (port) => attach(whenOpen().queue, port),
    copy: (path) => whenOpen().connection.copyTo(path),
    close() {
      const { queue, connection } = whenOpen()
      queue.stop()
      connection.close()
    },
  }
}

function open({ path, epoch, leaseMs, checkpointMs }: StoreThreadSettings): OpenStore {
  const connection = openSqlite(path)
  const numbers = new BigInt64Array(epoch)
  const raise = (changeNumber: number): void => {
    if (BigInt(changeNumber) > Atomics.load(numbers, 0)) {
      Atomics.store(numbers, 0, BigInt(changeNumber))
    }
  }
  raise(connection.changeNumber())
  const queue = createSqliteQueue(connection, { leaseMs, committed: raise, fatal: endThread })
  // Bounds the loss if the log is lost: the file itself is never far behind.
  setInterval(() => checkpoint(connection), checkpointMs).unref()
  return { connection, queue }
}

/** Ends the thread after the failure is answered. Its clients notice. */
function endThread({ message }: SqliteFailure): void {
  setImmediate(() => {
    throw new Error(`the database can no longer be used: ${message}`)
  })
}

/** If the disk is full, the log keeps its content. */
function checkpoint(connection: SqliteConnection): void {
  try {
    connection.checkpoint()
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind === 'fatal') endThread(failure)
  }
}

function attach(queue: SqliteQueue, port: MessagePort): void {
  const session = queue.enter()
  createLink<NoQuestions, SqliteQuestions>(port, () => session, sqliteFailures)
  port.on('close', session.leave)
}

serveThread<StoreThreadSettings, StoreThreadQuestions>(serve, sqliteFailures)
