/**
 * Worker 0's view of the other workers, which are threads with a listener each. It answers their questions.
 * A worker that ends by itself ends the process.
 * @module
 */
import type { KeyringStep } from '../../crypto/domain-keys.ts'
import type { NewRecords } from '../../audit/index/new-records.ts'
import { portsOf, type SharedDatabase } from '../../store/open.ts'
import type { MeterFigures } from '../../metrics/meter.ts'
import type { Answers } from '../../threads/link.ts'
import { createThread, type Thread } from '../../threads/thread.ts'
import type { TlsFiles } from '../../wire/tls.ts'
import type {
  AskedOfFirst,
  AskedOfWorker,
  ListenAt,
  Noted,
  NotedOf,
  WorkerState,
} from './questions.ts'
import type { WorkerData } from './worker-data.ts'

/** A worker could not be started. */
export class WorkerFailed extends Error {}

export interface Workers {
  /** Starts the threads, which do not listen yet. @throws {WorkerFailed} */
  start(of: WorkersStart): Promise<void>
  /** Starts listening in every worker. */
  listen(at: ListenAt): Promise<void>
  /** Uses other certificates for new connections. */
  useTls(files: TlsFiles): Promise<void>
  states(): Promise<readonly WorkerState[]>
  /** Takes the records that the event index lacks. */
  newRecords(): Promise<readonly NewRecords[]>
  figures(): Promise<readonly MeterFigures[]>
  /** Anchors every stream. Answers how many milliseconds the oldest unanchored record has waited. */
  checkpoint(): Promise<number>
  /** Uses that are not saved yet. @param except the worker that asks */
  noted<Kind extends keyof Noted>(kind: Kind, name: string, except?: number): Promise<Noted[Kind]>
  /** Takes a step of a rotation of the root key in every other worker. */
  turnKeys(step: KeyringStep): Promise<void>
  /** Goes on listening, and closes each connection after its next answer. */
  leave(): Promise<void>
  /** Resolves when nobody listens and every call in flight is answered, or `graceMs` is over. */
  stopListening(graceMs: number): Promise<void>
  /** Saves and closes everything, and ends the threads. */
  close(): Promise<void>
}

export interface WorkersStart {
  readonly data: Omit<WorkerData, 'worker' | 'database' | 'grantDatabase'>
  readonly share: () => SharedDatabase
  readonly answers: Omit<Answers<AskedOfFirst>, 'noted' | 'fatal'>
  /** Uses that worker 0 has not saved yet. */
  readonly noted: (of: NotedOf) => Noted[keyof Noted]
}

interface Started {
  readonly worker: number
  readonly thread: Thread<AskedOfWorker>
}

/** Whether the system distributes connections over several listeners of one address. */
export const canShareListeners = ['linux', 'freebsd', 'sunos', 'aix'].includes(process.platform)

/**
 * @param count number of workers, including worker 0
 * @param program of the threads; tests pass one that dies
 */
export function createWorkers(
  count: number,
  onFatal: (error: unknown) => void,
  program = new URL('worker-thread.ts', import.meta.url),
): Workers {
  const started: Started[] = []
  let closing = false
  const noted: Workers['noted'] = async (kind, name, except) => {
    const asked = started.filter(({ worker }) => worker !== except)
    const all = await Promise.all(asked.map(({ thread }) => thread.ask('noted', { kind, name })))
    return all.flat() as never // each answers with the kind that was asked for
  }
  const startOne = async (worker: number, of: WorkersStart): Promise<void> => {
    const { data, share, answers } = of
    const database = share()
    const grantDatabase = share()
    const thread = createThread<AskedOfWorker, AskedOfFirst>({
      program,
      name: `worker ${worker}`,
      data: { ...data, worker, database, grantDatabase } satisfies WorkerData,
      transfer: [...portsOf(database), ...portsOf(grantDatabase)],
      answers: {
        ...answers,
        noted: async ({ kind, name }) =>
          [...of.noted({ kind, name }), ...(await noted(kind, name, worker))] as never, // all of one kind
        fatal: (message) => onFatal(new Error(message)),
      },
      onEnd: onFatal,
    })
    // Before the worker opens anything: its stream must not be read before its durable position is known.
    started.push({ worker, thread })
    await thread.ask('open', undefined)
  }
  const askAll = <Name extends keyof AskedOfWorker>(
    name: Name,
    given: AskedOfWorker[Name][0],
  ): Promise<AskedOfWorker[Name][1][]> =>
    Promise.all(started.map(({ thread }) => thread.ask(name, given)))
  return {
    async start(of) {
      if (closing) throw new WorkerFailed('the server is stopping')
      const others = Array.from({ length: count - 1 }, (_, index) => index + 1)
      await Promise.all(others.map((worker) => startOne(worker, of))).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new WorkerFailed(`a worker could not be started: ${why}`, { cause })
      })
    },
    listen: async (at) => void (await askAll('listen', at)),
    useTls: async (files) => void (await askAll('useTls', files)),
    states: () => askAll('state', undefined),
    newRecords: () => askAll('newRecords', undefined),
    figures: () => askAll('figures', undefined),
    checkpoint: async () => Math.max(0, ...(await askAll('checkpoint', undefined))),
    noted,
    turnKeys: async (step) => void (await askAll('turnKeys', step)),
    leave: async () => void (await askAll('leave', undefined)),
    stopListening: async (graceMs) => void (await askAll('stopListening', graceMs)),
    async close() {
      closing = true
      const closed = await Promise.allSettled(
        started.map(({ thread }) => thread.ask('close', undefined)),
      )
      // Nobody writes their streams any more, so nobody asks for their positions.
      const threads = started.splice(0).map(({ thread }) => thread)
      await Promise.all(threads.map((thread) => thread.end()))
      for (const each of closed) if (each.status === 'rejected') throw each.reason
    },
  }
}
