/** Joins a database, commits one change, and stops in the middle of another. @module */
import { parentPort, workerData } from 'node:worker_threads'
import { type SharedDatabase, attachDatabase } from '../../../src/store/open.ts'
import { storeOf } from '../engines.ts'
import { insertKeys, newKey } from '../records.ts'

const { store } = storeOf(attachDatabase(workerData as SharedDatabase))
await insertKeys(store, newKey('committed'))
await store.change(async (transaction) => {
  await transaction.insertKey(newKey('never committed'))
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort?.postMessage('in the middle')
  await new Promise(() => {})
})
