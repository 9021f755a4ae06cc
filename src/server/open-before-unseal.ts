/**
 * Opens what needs no root key: the database and worker 0's stream of the audit journal. Also holds the order
 * in which everything is closed.
 * @module
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { systemRandom } from '../crypto/entropy.ts'
import { nodeFiles } from '../disk/files.ts'
import type { OpenJournal } from '../audit/journal/journal.ts'
import type { Config } from '../config.ts'
import { checkFoundData, DataRefused } from './found-data.ts'
import { createClock, type MovableClock } from '../jobs/clock.ts'
import { createMeter, type Meter } from '../metrics/meter.ts'
import { openDatabase, type OwnedDatabase } from '../store/open.ts'
import { createQuickCheck, type QuickCheck } from '../store/verify/quick-check.ts'
import { requireNotRetired } from './node.ts'
import { readNodeId } from './node-id.ts'
import { sharedMemory, type SharedMemory } from './workers/memory.ts'
import { openStream, type OpenStream } from './workers/stream.ts'
import { canShareListeners, createWorkers, type Workers } from './workers/workers.ts'
import type { ServerOptions } from './options.ts'

/** The open files of a server without its root key. */
export interface Files {
  readonly database: OwnedDatabase
  readonly journal: OpenJournal
  readonly memory: SharedMemory
  readonly workers: Workers
  /** Number of workers, including worker 0. */
  readonly workerCount: number
  readonly meter: Meter
  readonly journalDirectory: string
  /** Takes the records that the event index lacks. */
  readonly takeRecords: OpenStream['takeRecords']
  /** Closed after the journal has written its last record. */
  readonly afterJournal: Closing
  readonly onError: (error: Error) => void
  /** Starts when calls are served. */
  readonly quickCheck: QuickCheck
  readonly clock: MovableClock
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

export type Closing = (() => Promise<void>)[]

export async function openFiles(
  config: Config,
  options: ServerOptions,
  closing: Closing,
): Promise<Files> {
  const { log, onFatal, journalFiles } = options
  const memory = sharedMemory()
  const clock = createClock(options.time, memory.clock)
  const startedAt = clock.now()
  const found = await checkFoundData(config, journalFiles ?? nodeFiles)
  const path = join(config.dataDirectory, 'trent.db')
  const files = journalFiles ?? nodeFiles
  const { databaseUrl: url, dataDirectory, freshnessSeconds, requireSynchronous } = config
  const database = await openDatabase({
    path,
    url,
    ...(url !== undefined && { nodeId: await readNodeId(dataDirectory, files, systemRandom) }),
    freshnessMs: freshnessSeconds * 1000,
    requireSynchronous,
    onFailure: onFatal,
  })
  closing.push(() => database.close())
  await refuseRetired(database)
  // Data that could not be compared is not used, even if it opens a moment later.
  if (!found.isRead)
    throw new DataRefused(`${path} could not be read before it was opened: start again`)
  const afterJournal: Closing = []
  closing.push(() => closeAll(afterJournal))
  const workerCount = workersOf(config, options)
  const workers = createWorkers(workerCount, onFatal)
  const meter = createMeter(() => workers.figures())
  const { nodeId } = database
  const of = { config, nodeId, memory, clock, meter, log, onFatal, files: journalFiles }
  const stream = await openStream({ ...of, worker: 0 })
  meter.observe({ trent_sealed: () => 1 })
  closing.push(() => stream.journal.close())
  const quickCheck = quickCheckOf(database, log, meter)
  closing.push(() => quickCheck.close())
  const threads = { memory, workers, workerCount, quickCheck }
  return { database, ...threads, meter, ...stream, afterJournal, clock, startedAt }
}

/** Before the journal is opened: a refused start changes no file. @throws {DataRefused} */
async function refuseRetired({ query, nodeId }: OwnedDatabase): Promise<void> {
  if (nodeId === undefined) return
  const found = await query
    .selectFrom('nodes')
    .select('state')
    .where('node_id', '=', nodeId)
    .executeTakeFirst()
  requireNotRetired(nodeId, found?.state)
}

function quickCheckOf(database: OwnedDatabase, log: Logger, meter: Meter): QuickCheck {
  const quickCheck = createQuickCheck(database, {
    onProblems: (problems) => log.error({ problems }, 'the database is damaged'),
    onLeftOut: (why) =>
      log.warn({ why }, 'the database was not checked: run `trent verify-database`'),
  })
  meter.observe({
    trent_database_damaged: () => Number(quickCheck.problems().length > 0),
    trent_database_checked: () => Number(quickCheck.isDone()),
  })
  return quickCheck
}

function workersOf({ workers }: Config, { log, time, journalFiles }: ServerOptions): number {
  if (workers === 1) return 1
  if (time !== undefined || journalFiles !== undefined) {
    throw new Error('a given clock or journal works with one worker only')
  }
  if (canShareListeners) return workers
  log.warn('TRENT_WORKERS: this system cannot share a port among workers: there is one')
  return 1
}

/** Closes in the reverse order of opening. A failure does not keep the rest open. */
export async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of closing.toReversed()) {
    await close().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}
