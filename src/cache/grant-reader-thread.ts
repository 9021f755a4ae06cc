/**
 * The thread that reads and checks grants. `grant-reader.ts` starts it with `GrantThreadSettings`
 * and asks for one set of grants at a time.
 * @module
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { keyringOf } from '../crypto/domain-keys.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { KeyRef } from '../model/key.ts'
import { createStore } from '../store/bound-store.ts'
import { attachDatabase } from '../store/open.ts'
import type {
  GrantThreadSettings,
  GrantThreadOrder,
  GrantThreadAnswer,
} from './grant-thread-messages.ts'
import { readGrantsFrom } from './read-grants.ts'

function serve(port: MessagePort, { database, deployment }: GrantThreadSettings): void {
  const answer = (message: GrantThreadAnswer): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    port.postMessage(message)
  }
  const keyring = keyringOf(deployment.deploymentId, deployment.domainKeys, systemRandom)
  const store = createStore(attachDatabase(database), keyring, {
    onForgedRow: (table, id) => answer({ kind: 'forged', table, id }),
  })
  const readGrants = readGrantsFrom(store)
  let taken: (goOn: boolean) => void = () => undefined
  const read = async (key: KeyRef, grantee: string): Promise<void> => {
    try {
      await readGrants(key, grantee, (page) => {
        const asked = new Promise<boolean>((resolve) => {
          taken = resolve
        })
        answer({ kind: 'page', page })
        return asked
      })
      answer({ kind: 'read' })
    } catch (error) {
      answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
  }
  port.on('message', (order: GrantThreadOrder) => {
    if (order.kind === 'read') void read(order.key, order.grantee)
    else taken(order.goOn)
  })
}

// Only `grant-reader.ts` starts this thread.
if (parentPort !== null) serve(parentPort, workerData as GrantThreadSettings)
