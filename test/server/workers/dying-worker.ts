/** A worker that opens, and dies when it is to listen; or that does not open, as its data says. @module */
import { parentPort, workerData } from 'node:worker_threads'
import { createLink, type Questions } from '../../../src/threads/link.ts'
import type { AskedOfWorker } from '../../../src/server/workers/questions.ts'

const { usageTrackedSince } = workerData as { readonly usageTrackedSince: number }
const never = (): Promise<never> => new Promise(() => undefined)
if (parentPort !== null) {
  createLink<Questions, AskedOfWorker>(parentPort, {
    async open() {
      if (usageTrackedSince === 1) throw new Error('its journal cannot be opened')
      return undefined
    },
    async listen() {
      setImmediate(() => {
        throw new Error('a bug')
      })
      return never()
    },
    state: never,
    figures: never,
    checkpoint: never,
    noted: never,
    stopListening: async () => undefined,
    close: async () => undefined,
  })
}
