/** A server that two accounts live on, each with its root user's access key. @module */
import type { KMSClient } from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'

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

/** The first start in the other account's name makes it; the second one makes the harness's own. */
export async function startWithTwoAccounts(settings: Settings = {}): Promise<TwoAccounts> {
  const first = await startTestServer({
    TRENT_ACCOUNT_ID: otherAccountId,
    TRENT_ROOT_ACCESS_KEY_ID: otherCredentials.accessKeyId,
    TRENT_ROOT_SECRET_ACCESS_KEY: otherCredentials.secretAccessKey,
  })
  await first.stop('keep')
  const server = await startTestServer(settings, { directory: first.directory })
  const otherClient: TwoAccounts['otherClient'] = (more) =>
    server.client({ credentials: otherCredentials, ...more })
  return { ...server, otherClient }
}
