/**
 * A server that dies while a key is replicated, or while another becomes the primary: after the next start
 * both Regions say the same, the key works in both, and each Region has one record of it.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ReplicateKeyCommand,
  UpdatePrimaryRegionCommand,
  type KeyMetadata,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { end, freePort, ready, run, serve, temporaryFolder } from '../start/serve-process.ts'
import { accountId, clientOf, region as here, settings } from './fixed-account.ts'
import { readStoredAndRecorded } from './stored-and-recorded.ts'

const script = join(import.meta.dirname, 'stopping-server.ts')
const there = 'eu-north-1'
const patienceMs = 120_000

/** The call's own record is the first, its second one may be in its batch or the next. */
const deaths = [
  ['before write', 1],
  ['half written', 1],
  ['half written', 2],
  ['after sync', 2],
  ['after sync', 3],
] as const

async function describe(client: KMSClient, KeyId: string): Promise<KeyMetadata | undefined> {
  try {
    return (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFoundException') return undefined
    throw error
  }
}

async function settled(client: KMSClient, KeyId: string): Promise<KeyMetadata | undefined> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const metadata = await describe(client, KeyId)
    if (metadata === undefined || metadata.KeyState === 'Enabled') return metadata
    assert(Date.now() < deadline, `the key stays ${metadata.KeyState}`)
    await sleep(50)
  }
}

interface Prepared {
  readonly folder: string
  readonly KeyId: string
  readonly CiphertextBlob: Uint8Array | undefined
}

/** A key, and its replica where one is wanted, of a server that has stopped. */
async function prepare(t: TestContext, replicated: boolean): Promise<Prepared> {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, settings)
  const client = clientOf(server)
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ MultiRegion: true }))
  const { KeyId = '' } = KeyMetadata ?? {}
  const sealed = { KeyId, Plaintext: Buffer.from('sealed before') }
  const { CiphertextBlob } = await client.send(new EncryptCommand(sealed))
  if (replicated) {
    const other = clientOf(server, there)
    await client.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there }))
    await settled(other, KeyId)
    other.destroy()
  }
  client.destroy()
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  return { folder, KeyId, CiphertextBlob }
}

/** Starts a server that dies at that moment, and makes calls until it does. */
async function callUntilDead(
  t: TestContext,
  { folder, KeyId }: Prepared,
  moment: string,
  batch: number,
  call: (client: KMSClient) => Promise<unknown>,
): Promise<void> {
  const command = [process.execPath, script, moment, String(batch), 'ready'] as const
  const dying = await ready(run(t, [...command], { ...freePort(folder), ...settings }, folder))
  const client = clientOf(dying)
  await call(client).catch(() => undefined)
  for (;;) {
    await describe(client, KeyId).catch(() => undefined)
    const how = await Promise.race([dying.ended, sleep(20)])
    if (how === undefined) continue
    assert.deepEqual(how, { code: null, signal: 'SIGKILL' })
    break
  }
  client.destroy()
}

for (const [moment, batch] of deaths) {
  test(`a replication is whole or not there when the server dies ${moment} of record ${batch}`, async (t) => {
    const prepared = await prepare(t, false)
    const { folder, KeyId, CiphertextBlob } = prepared
    await callUntilDead(t, prepared, moment, batch, (client) =>
      client.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there })),
    )
    const next = await serve(t, folder, settings)
    const [mine, theirs] = [clientOf(next), clientOf(next, there)]
    // It had committed before its first record was written.
    const replica = await settled(theirs, KeyId)
    assert.equal(replica?.KeyState, 'Enabled')
    const primary = await describe(mine, KeyId)
    assert.equal(replica.CurrentKeyMaterialId, primary?.CurrentKeyMaterialId)
    for (const client of [mine, theirs]) await client.send(new DecryptCommand({ CiphertextBlob }))
    for (const client of [mine, theirs]) client.destroy()
    assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })
    await requireOnce(folder, [
      `ReplicateKey ${here}`,
      `CreateKey ${there}`,
      `SynchronizeMultiRegionKey ${here}`,
    ])
  })

  test(`an update of the primary Region is whole when the server dies ${moment} of record ${batch}`, async (t) => {
    const prepared = await prepare(t, true)
    const { folder, KeyId, CiphertextBlob } = prepared
    await callUntilDead(t, prepared, moment, batch, (client) =>
      client.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there })),
    )
    const next = await serve(t, folder, settings)
    const [mine, theirs] = [clientOf(next), clientOf(next, there)]
    for (const client of [mine, theirs]) {
      const metadata = await settled(client, KeyId)
      const { PrimaryKey, ReplicaKeys } = metadata?.MultiRegionConfiguration ?? {}
      assert.equal(metadata?.KeyState, 'Enabled')
      assert.deepEqual(
        [PrimaryKey?.Region, ReplicaKeys?.map(({ Region }) => Region)],
        [there, [here]],
      )
      await client.send(new DecryptCommand({ CiphertextBlob }))
    }
    for (const client of [mine, theirs]) client.destroy()
    assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })
    await requireOnce(folder, [`UpdatePrimaryRegion ${here}`, `UpdatePrimaryRegion ${there}`])
  })
}

async function requireOnce(folder: string, names: readonly string[]): Promise<void> {
  const { records, outboxRows } = await readStoredAndRecorded(join(folder, 'data'), accountId, here)
  assert.equal(outboxRows, 0)
  const found = records.map(({ eventName, awsRegion }) => `${eventName} ${awsRegion}`)
  for (const name of names) assert.equal(found.filter((one) => one === name).length, 1, name)
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
}
