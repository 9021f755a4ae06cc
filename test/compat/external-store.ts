/** A server with an external key store behind a fake proxy, for tests of the wire. @module */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DescribeCustomKeyStoresCommand,
  DisconnectCustomKeyStoreCommand,
  type CreateCustomKeyStoreCommandInput,
  type CustomKeyStoresListEntry,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { advance } from './test-clock.ts'
import {
  proxyCredential,
  proxyHost,
  proxyPath,
  startFakeProxy,
  type FakeProxy,
  type Reached,
} from '../keystores/external/fake-proxy.ts'

export interface ExternalWorld {
  readonly server: TestServer
  readonly kms: KMSClient
  readonly proxy: FakeProxy
}

export async function startExternalWorld(
  t: TestContext,
  reached: Reached = {},
): Promise<ExternalWorld> {
  const proxy = await startFakeProxy()
  t.after(() => proxy.stop())
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const settings = { ...proxy.settings(directory, reached), TRENT_TEST_API: 'on' }
  const server = await startTestServer(settings, { directory })
  t.after(() => server.stop())
  return { server, kms: server.client(), proxy }
}

type Connecting = Pick<ExternalWorld, 'server' | 'kms'>

export const storeSettings: CreateCustomKeyStoreCommandInput = {
  CustomKeyStoreName: 'external',
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyUriEndpoint: `https://${proxyHost}`,
  XksProxyUriPath: proxyPath,
  XksProxyConnectivity: 'PUBLIC_ENDPOINT',
  XksProxyAuthenticationCredential: proxyCredential,
}

export async function makeStore(
  kms: KMSClient,
  settings: Partial<CreateCustomKeyStoreCommandInput> = {},
): Promise<string> {
  const command = new CreateCustomKeyStoreCommand({ ...storeSettings, ...settings })
  return String((await kms.send(command)).CustomKeyStoreId)
}

export async function entryOf(
  kms: KMSClient,
  CustomKeyStoreId: string,
): Promise<CustomKeyStoresListEntry> {
  const { CustomKeyStores } = await kms.send(
    new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }),
  )
  const [entry] = CustomKeyStores ?? []
  if (entry === undefined) throw new Error('no key store')
  return entry
}

/** Far more than a busy machine needs. */
const settledMsMax = 30_000

/** Waits until the background work has brought the store to an end of its way. */
export async function settled(
  world: Connecting,
  storeId: string,
): Promise<CustomKeyStoresListEntry> {
  // Moving the clock runs the jobs that are due.
  await advance(world.server.url, '1s')
  const until = performance.now() + settledMsMax
  for (;;) {
    const entry = await entryOf(world.kms, storeId)
    if (entry.ConnectionState?.endsWith('ING') !== true) return entry
    if (performance.now() > until) throw new Error(`the store is still ${entry.ConnectionState}`)
    await sleep(50)
  }
}

export async function connect(world: Connecting, CustomKeyStoreId: string): Promise<string> {
  await world.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  const { ConnectionState, ConnectionErrorCode } = await settled(world, CustomKeyStoreId)
  return ConnectionErrorCode ?? String(ConnectionState)
}

export async function disconnect(world: Connecting, CustomKeyStoreId: string): Promise<void> {
  await world.kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }))
  await settled(world, CustomKeyStoreId)
}

export async function makeExternalKey(
  kms: KMSClient,
  CustomKeyStoreId: string,
  XksKeyId = 'key-1',
): Promise<string> {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId }),
  )
  return String(KeyMetadata?.KeyId)
}
