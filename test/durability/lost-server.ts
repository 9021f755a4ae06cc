/** Servers that are lost, and their clients, for tests of restores. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { IAMClient } from '@aws-sdk/client-iam'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { STSClient } from '@aws-sdk/client-sts'
import { callOperator } from '../../src/operator/client.ts'
import {
  end,
  freePort,
  serve,
  temporaryFolder,
  trentEnded,
  type Serving,
  type Settings,
} from '../start/serve-process.ts'
import { testDatabase, testedVersions } from '../store/postgres/shared-server.ts'

export const root = {
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const
export const rootCredentials = { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' }

export type Engine = 'sqlite' | 'postgresql'

/** The settings of a server on this engine. Each call makes another database in PostgreSQL. */
export async function settingsFor(t: TestContext, engine: Engine, seal: string): Promise<Settings> {
  const settings = { ...root, TRENT_SEAL: `file:${seal}` }
  if (engine === 'sqlite') return settings
  const [version = 0] = testedVersions
  return { ...settings, TRENT_DATABASE_URL: (await testDatabase(t, version)).url }
}

export interface Clients {
  readonly kms: KMSClient
  readonly iam: IAMClient
  readonly sts: STSClient
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export function clientsOf(
  t: TestContext,
  { url: endpoint }: Serving,
  credentials: Credentials = rootCredentials,
): Clients {
  const of = { endpoint, region: 'us-west-2', maxAttempts: 1, credentials }
  const clients = { kms: new KMSClient(of), iam: new IAMClient(of), sts: new STSClient(of) }
  t.after(() => Object.values(clients).forEach((client) => client.destroy()))
  return clients
}

export const failsWith = (call: Promise<unknown>, name: string): Promise<void> =>
  assert.rejects(call, (error) => error instanceof Error && error.name === name)

export async function newKey({ kms }: Clients): Promise<string> {
  return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
}

export async function encrypted({ kms }: Clients, KeyId: string): Promise<Uint8Array> {
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId, Plaintext: Buffer.from('hello') }),
  )
  return CiphertextBlob ?? new Uint8Array()
}

export async function decrypts({ kms }: Clients, CiphertextBlob: Uint8Array): Promise<void> {
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
}

/** A stopped server, a backup of it, and what it has done since. */
export async function lostServer(
  t: TestContext,
  since: (
    clients: Clients,
    key: string,
    /** Calls an operation of the operator's socket. */
    ask: (operation: string, input?: object) => Promise<unknown>,
    url: string,
  ) => Promise<unknown>,
  /** Further settings of the server that is lost. */
  more: Settings = {},
) {
  const folder = temporaryFolder(t)
  const seal = join(folder, 'seal.key')
  const settings = { ...root, TRENT_SEAL: `file:${seal}` }
  const server = await serve(t, folder, { ...settings, ...more })
  const clients = clientsOf(t, server)
  const key = await newKey(clients)
  const blob = await encrypted(clients, key)
  const taken = await trentEnded(
    t,
    ['backup', 'backup'],
    { ...freePort(folder), ...settings },
    folder,
  )
  assert.equal(taken.code, 0, taken.stderr)
  const ask = (operation: string, input?: object) =>
    callOperator(join(folder, 'data'), operation, input)
  await since(clients, key, ask, server.url)
  await end(server, 'SIGTERM')
  const there = temporaryFolder(t)
  const backup = join(folder, 'backup')
  const restoring = { ...freePort(there), ...settings }
  return {
    folder,
    there,
    backup,
    settings,
    blob,
    restoring,
    journal: join(folder, 'data', 'journal'),
    restore: (...parameters: string[]) =>
      trentEnded(t, ['restore', ...parameters], restoring, there),
  }
}
