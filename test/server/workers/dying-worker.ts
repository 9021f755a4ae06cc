/** A worker that opens, and dies when it is to listen; or that does not open, as its data says. @module */
import { serveThread } from '../../../src/threads/thread.ts'
import type { AskedOfWorker } from '../../../src/server/workers/questions.ts'

const never = (): Promise<never> => new Promise(() => undefined)

serveThread<{ readonly usageTrackedSince: number }, AskedOfWorker>(({ usageTrackedSince }) => ({
  async open() {
    if (usageTrackedSince === 1) throw new Error('its journal cannot be opened')
  },
  async listen() {
    setImmediate(() => {
      throw new Error('a bug')
    })
    return never()
  },
  useTls: never,
  state: never,
  newRecords: never,
  figures: never,
  checkpoint: never,
  noted: never,
  turnKeys: never,
  stopListening: async () => undefined,
  leave: async () => undefined,
  close: async () => undefined,
}))
