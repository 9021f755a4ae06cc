/**
 * The store thread: it owns the SQLite connection, serves any number of message ports, and raises
 * the epoch. `open.ts` starts it with `StoreThreadSettings`.
 *
 * INVARIANT (epoch before acknowledgement): the epoch holds a change's number before its commit is
 * acknowledged, so that a client that learns of the change finds no cache with the old state.
 * @module
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { failureOf } from './sqlite-failure.ts'
import { openSqlite, type SqliteConnection } from './sqlite.ts'
import type {
  SqliteFailure,
  SqliteRequest,
  StoreThreadNotice,
  StoreThreadOrder,
  StoreThreadSettings,
} from './sqlite-protocol.ts'
import { type SqliteQueue, createSqliteQueue } from './sqlite-queue.ts'

/** Serves until the close order arrives. An exception ends the thread, and its clients notice. */
function serve(
  opener: MessagePort,
  { path, epoch, leaseMs, checkpointMs }: StoreThreadSettings,
): void {
  const connection = openSqlite(path)
  const numbers = new BigInt64Array(epoch)
  const raise = (changeNumber: number): void => {
    if (BigInt(changeNumber) > Atomics.load(numbers, 0)) {
      Atomics.store(numbers, 0, BigInt(changeNumber))
    }
  }
  raise(connection.changeNumber())
  const fatal = (failure: SqliteFailure): never => {
    throw new Error(`the database can no longer be used: ${failure.message}`)
  }
  const queue = createSqliteQueue(connection, { leaseMs, committed: raise, fatal })
  // Bounds the loss if the log is lost: the file itself is never far behind.
  setInterval(() => checkpoint(connection, fatal), checkpointMs).unref()
  opener.on('message', (order: StoreThreadOrder) => {
    if (order.kind === 'attach') return attach(queue, order.port)
    queue.stop()
    connection.close()
    notify(opener, { kind: 'closed' })
    // Ends the thread even if ports are still open.
    process.exit()
  })
  notify(opener, { kind: 'open' })
}

/** If the disk is full, the log keeps its content. */
function checkpoint(connection: SqliteConnection, fatal: (failure: SqliteFailure) => never): void {
  try {
    connection.checkpoint()
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind === 'fatal') fatal(failure)
  }
}

function attach(queue: SqliteQueue, port: MessagePort): void {
  const session = { answer: (response: unknown): void => port.postMessage(response) }
  port.on('message', (request: SqliteRequest) => queue.take(session, request))
  port.on('close', () => queue.leave(session))
}

function notify(opener: MessagePort, notice: StoreThreadNotice): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  opener.postMessage(notice)
}

if (parentPort !== null) {
  try {
    // Only `open.ts` starts this thread.
    serve(parentPort, workerData as StoreThreadSettings)
  } catch (error) {
    const failure = failureOf(error)
    const kind = failure.kind === 'conflict' ? 'in-use' : failure.kind
    notify(parentPort, { kind: 'refused', failure: { ...failure, kind } })
    parentPort.close()
  }
}
