/**
 * The thread of a worker other than worker 0. `workers.ts` starts it with `WorkerData` and sends it the
 * orders to open, listen and close.
 * @module
 */
import { pino, type Logger } from 'pino'
import { limitErrors } from '../limited-log.ts'
import type { Answers, Link } from '../../threads/link.ts'
import { serveThread } from '../../threads/thread.ts'
import { openWorker, type OpenWorker } from './open-worker.ts'
import type { AskedOfFirst, AskedOfWorker } from './questions.ts'
import { receivedConfig } from './worker-config.ts'
import type { WorkerData } from './worker-data.ts'

function serve(data: WorkerData, link: Link<AskedOfFirst>): Answers<AskedOfWorker> {
  const config = receivedConfig(data.config)
  let opened: Promise<OpenWorker> | undefined
  const whenOpen = (): Promise<OpenWorker> =>
    opened ?? Promise.reject(new Error('the worker is not open'))
  return {
    async open() {
      opened = openWorker({ ...data, config, log: logOf(data, link), link })
      await opened
    },
    listen: async (at) => (await whenOpen()).listen(at),
    useTls: async (files) => (await whenOpen()).useTls(files),
    state: async () => (await whenOpen()).state(),
    newRecords: async () => (await whenOpen()).newRecords(),
    figures: async () => (await whenOpen()).figures(),
    checkpoint: async () => (await whenOpen()).checkpoint(),
    noted: async (of) => (await whenOpen()).noted(of),
    turnKeys: async (step) => (await whenOpen()).turnKeys(step),
    leave: async () => (await opened)?.leave(),
    stopListening: async (graceMs) => (await opened)?.stopListening(graceMs),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}

/** Log lines go to worker 0. */
function logOf({ worker, config }: WorkerData, link: Link<AskedOfFirst>): Logger {
  const write = (line: string): void => void link.ask('log', line)
  return limitErrors(
    pino({ level: config.logLevel, base: { pid: process.pid, worker } }, { write }),
    undefined,
    config.workers,
  )
}

serveThread<WorkerData, AskedOfWorker, AskedOfFirst>(serve)
