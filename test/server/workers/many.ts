/** Callers of a server with several workers, each on a connection of its own: the system spreads them. @module */
import { Agent } from 'node:http'
import type { TestContext } from 'node:test'
import type { KMSClient } from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../../harness.ts'

/** So many that they are all at one worker in one run of thirty thousand. */
const callers = 16

export interface ManyCallers {
  readonly server: TestServer
  readonly clients: readonly KMSClient[]
  /** The client behind another one. */
  readonly next: (index: number) => KMSClient
}

export async function manyCallers(
  t: TestContext,
  settings: Parameters<typeof startTestServer>[0] = {},
): Promise<ManyCallers> {
  const server = await startTestServer({
    TRENT_WORKERS: '2',
    TRENT_TEST_API: 'on',
    ...settings,
  })
  t.after(() => server.stop())
  const clients = Array.from({ length: callers }, () =>
    server.client({ requestHandler: oneConnection() }),
  )
  const next = (index: number): KMSClient => clients[(index + 1) % callers] ?? server.client()
  return { server, clients, next }
}

export function oneConnection(): { readonly httpAgent: Agent } {
  return { httpAgent: new Agent({ keepAlive: true, maxSockets: 1 }) }
}
