/** A server that two accounts live on, each with its root user's access key. @module */
import type { KMSClient } from '@aws-sdk/client-kms'
import { wrapSecret } from '../../src/crypto/secrets.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { withStore } from './stored.ts'

export const otherAccountId = '444455556666'
export const otherCredentials = {
  accessKeyId: 'OTHERROOT',
  secretAccessKey: 'other-secret-access-key',
} as const

export interface TwoAccounts extends TestServer {
  /** A client of the other account's root user. */
  readonly otherClient: (settings?: Parameters<TestServer['client']>[0]) => KMSClient
}

type Settings = Parameters<typeof startTestServer>[0]

/** The other account is written into the store while no server runs: its root user has a key that is known. */
export async function startWithTwoAccounts(settings: Settings = {}): Promise<TwoAccounts> {
  const first = await startTestServer()
  await first.stop('keep')
  await withStore(first.directory, async (store, keyring) => {
    const owner = {
      accessKeyId: otherCredentials.accessKeyId,
      accountId: otherAccountId,
      principalKind: 'root',
      principalId: otherAccountId,
    } as const
    const secret = Buffer.from(otherCredentials.secretAccessKey)
    const wrapped = wrapSecret(keyring, owner, secret)
    const createdAt = Date.now()
    await store.change(async (transaction) => {
      await transaction.insertAccount({ accountId: otherAccountId, createdAt })
      await transaction.insertAccessKey({ ...owner, status: 'Active', ...wrapped, createdAt })
    })
  })
  const server = await startTestServer(settings, { directory: first.directory })
  const otherClient: TwoAccounts['otherClient'] = (more) =>
    server.client({ credentials: otherCredentials, ...more })
  return { ...server, otherClient }
}
