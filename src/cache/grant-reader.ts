/**
 * Reads all grants of a key to one grantee in a separate thread. Reading tens of thousands of rows
 * and checking their tags takes seconds, which calls must not wait for.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { OnForgedRow } from '../store/bound-rows.ts'
import type { SharedDatabase } from '../store/open.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type {
  GrantThreadAnswer,
  GrantThreadOrder,
  GrantThreadSettings,
} from './grant-thread-messages.ts'
import type { ReadGrants } from './read-grants.ts'

export interface GrantReader {
  /** Only one read may run at a time. */
  readonly read: ReadGrants
  readonly close: () => Promise<void>
}

/** Starts the thread with the first read. */
export function createGrantReader(options: {
  readonly database: SharedDatabase
  readonly deployment: OpenDeployment
  readonly onForgedRow: OnForgedRow
}): GrantReader {
  const { database, deployment, onForgedRow } = options
  let thread: Worker | undefined
  let ended: Error | undefined
  const start = (): Worker => {
    const started = startThread({ database, deployment })
    started.on('error', (error) => {
      ended = error instanceof Error ? error : new Error(String(error))
    })
    started.once('exit', () => {
      ended ??= new Error('the grant reader thread ended')
    })
    return started
  }
  const read: ReadGrants = (key, grantee, take) =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) throw ended
      thread ??= start()
      const reading = thread
      const settle = (act: () => void): void => {
        reading.off('message', onAnswer)
        reading.off('exit', onExit)
        act()
      }
      let failed: unknown
      const onExit = (): void => settle(() => reject(ended ?? new Error('the grant reader ended')))
      const order = (message: GrantThreadOrder): void => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
        reading.postMessage(message)
      }
      const onAnswer = (answer: GrantThreadAnswer): void => {
        switch (answer.kind) {
          case 'page': {
            const taken = (async () => take(answer.page))()
            return void taken.then(
              (goOn) => order({ kind: 'taken', goOn }),
              (error: unknown) => {
                failed = error
                // The thread finishes its answers to this read before the next read begins.
                order({ kind: 'taken', goOn: false })
              },
            )
          }
          case 'forged':
            return onForgedRow(answer.table, answer.id)
          case 'failed':
            return settle(() => reject(new Error(`cannot read grants: ${answer.message}`)))
          case 'read':
            return settle(() => (failed === undefined ? resolve() : reject(failed)))
        }
      }
      reading.on('message', onAnswer)
      reading.once('exit', onExit)
      order({ kind: 'read', key, grantee })
    })
  return {
    read,
    async close() {
      ended ??= new Error('the grant reader is closed')
      if (thread === undefined) database.port.close()
      await thread?.terminate()
    },
  }
}

function startThread(workerData: GrantThreadSettings): Worker {
  const thread = new Worker(new URL('grant-reader-thread.ts', import.meta.url), {
    name: 'trent grant reader',
    workerData,
    transferList: [workerData.database.port],
  })
  thread.unref()
  return thread
}
