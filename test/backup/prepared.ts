/** A database with a deployment and keys, for tests of backups. @module */
import assert from 'node:assert/strict'
import type { BackupSource } from '../../src/backup/take.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { createStore } from '../../src/store/bound-store.ts'
import type { OwnedDatabase } from '../../src/store/open.ts'
import { createDeployment } from '../../src/store/tables/deployment.ts'
import { testKeyring } from '../crypto/fixed.ts'
import { accountId, newKey } from '../store/records.ts'

export const keyring = testKeyring()

export async function prepared(database: OwnedDatabase, keys: number) {
  await createDeployment(database, {
    deploymentId: 'deployment',
    createdAt: 1,
    seal: { kind: 'file', generation: 1, sealedRootKey: Buffer.alloc(60) },
    domainKeys: [{ version: 1, wrapped: Buffer.alloc(60), createdAt: 1 }],
  })
  const store = createStore(database, keyring, { onForgedRow: assert.fail })
  await store.change((transaction) => transaction.insertAccount({ accountId, createdAt: 1 }))
  const addKeys = async (from: number, to: number): Promise<void> => {
    await store.change(async (transaction) => {
      for (let n = from; n < to; n += 1) {
        await transaction.insertKey(newKey(`key-${String(n).padStart(6, '0')}`))
      }
    })
  }
  await addKeys(0, keys)
  const source: BackupSource = { database, keyring, clock: { now: () => 5 }, random: systemRandom }
  return { store, addKeys, source }
}
