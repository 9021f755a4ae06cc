/**
 * The thread of a worker other than worker 0. `workers.ts` starts it with `WorkerData` and sends it the
 * orders to open, listen and close.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { pino, type Logger } from 'pino'
import { limitErrors } from '../limited-log.ts'
import { createLink, type Link, type Port } from '../../threads/link.ts'
import { openWorker, type OpenWorker } from './open-worker.ts'
import type { AskedOfFirst, AskedOfWorker } from './questions.ts'
import { receivedConfig } from './worker-config.ts'
import type { WorkerData } from './worker-data.ts'

function serve(port: Port, data: WorkerData): void {
  const config = receivedConfig(data.config)
  let opened: Promise<OpenWorker> | undefined
  const whenOpen = (): Promise<OpenWorker> =>
    opened ?? Promise.reject(new Error('the worker is not open'))
  const link: Link<AskedOfFirst> = createLink<AskedOfFirst, AskedOfWorker>(port, {
    async open() {
      opened = openWorker({ ...data, config, log: logOf(data, () => link), link })
      await opened
      return undefined
    },
    listen: async ({ port: at }) => (await whenOpen()).listen(at),
    state: async () => (await whenOpen()).state(),
    figures: async () => (await whenOpen()).figures(),
    checkpoint: async () => (await whenOpen()).checkpoint(),
    noted: async (of) => (await whenOpen()).noted(of),
    stopListening: async (graceMs) => (await opened)?.stopListening(graceMs),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  })
}

/** Log lines go to worker 0. */
function logOf({ worker, config }: WorkerData, link: () => Link<AskedOfFirst>): Logger {
  const write = (line: string): void => void link().ask('log', line)
  return limitErrors(
    pino({ level: config.logLevel, base: { pid: process.pid, worker } }, { write }),
    undefined,
    config.workers,
  )
}

// Only `workers.ts` starts this thread.
if (parentPort !== null) serve(parentPort, workerData as WorkerData)
