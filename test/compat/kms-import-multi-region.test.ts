/** Imported material of multi-Region keys, in the order in which answers of AWS were recorded. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { asNew, forever, importing } from './importing.ts'
import { arnIn, config, replicate, settled } from './multi-region.ts'
import { rotating } from './rotating.ts'
import { refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const [east, west] = ['us-east-1', 'us-west-2']
const Plaintext = Buffer.from('regional')
const notEverywhere =
  'Cannot perform key material rotation: Key material has not been imported for replicas of the ' +
  'Multi-Region key.'

test('each Region imports for itself, and a key is rotated when all have', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const [kms, there] = [server.client({ region: east }), server.client({ region: west })]
  const [primary, replica] = [importing(kms), importing(there)]
  const KeyId = await primary.makeExternal({ MultiRegion: true })
  const replicating = new ReplicateKeyCommand({ KeyId, ReplicaRegion: west })
  const pending = `${arnIn(east, KeyId)} is pending import.`
  await refused(kms.send(replicating), 'KMSInvalidStateException', pending)
  const by = await primary.parameters(KeyId)
  const [A, B] = [randomBytes(32), randomBytes(32)]
  const described = { ...forever, KeyMaterialDescription: 'primary first' }
  const { KeyMaterialId: a = '' } = await primary.send(KeyId, A, by, described)
  const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await replicate(kms, there, { KeyId, ReplicaRegion: west })
  assert.equal(await replica.state(KeyId), 'PendingImport -')
  const named = (id: string, rest: string): string => `${id.slice(0, 6)} ${rest}`
  assert.deepEqual(await replica.history(KeyId), [named(a, 'CURRENT PENDING_IMPORT -')])
  const { CiphertextBlob } = sealed
  await refused(
    there.send(new DecryptCommand({ CiphertextBlob })),
    'KMSInvalidStateException',
    `${arnIn(west, KeyId)} is pending import.`,
  )

  const byThere = await replica.parameters(KeyId)
  await refused(replica.send(KeyId, A, by), 'InvalidImportTokenException')
  await refused(
    replica.send(KeyId, B, byThere),
    'IncorrectKeyMaterialException',
    `Imported key material does not have the expected identifier (${a}).`,
  )
  await refused(
    replica.send(KeyId, A, byThere, described),
    'ValidationException',
    'Key material description can only be specified on primary Multi-Region keys',
  )
  const { KeyMaterialId: b = '' } = await primary.send(KeyId, B, by, asNew)
  const never = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  const everywhere = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  const current = named(a, `CURRENT IMPORTED ${never}`)
  assert.deepEqual(await primary.history(KeyId), [
    current,
    named(b, `${everywhere} IMPORTED ${never}`),
  ])
  assert.deepEqual(await replica.history(KeyId), [
    named(a, 'CURRENT PENDING_IMPORT -'),
    named(b, `${everywhere} PENDING_IMPORT -`),
  ])
  const rotate = new RotateKeyOnDemandCommand({ KeyId })
  await refused(kms.send(rotate), 'KMSInvalidStateException', notEverywhere)
  await refused(
    replica.send(KeyId, B, byThere, asNew),
    'ValidationException',
    'Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys',
  )
  await replica.send(KeyId, A, byThere)
  await replica.send(KeyId, B, byThere)
  const ready = named(b, `PENDING_ROTATION IMPORTED ${never}`)
  for (const region of [primary, replica]) {
    assert.deepEqual(await region.history(KeyId), [current, ready])
  }
  // What a replica takes away is taken from it alone.
  assert.equal(await replica.take(KeyId, b), b)
  assert.deepEqual((await primary.history(KeyId))[1], named(b, `${everywhere} IMPORTED ${never}`))
  await refused(kms.send(rotate), 'KMSInvalidStateException', notEverywhere)
  await replica.send(KeyId, B, byThere)
  // What the primary takes away is taken everywhere.
  await primary.take(KeyId, b)
  for (const region of [primary, replica]) {
    assert.deepEqual(await region.history(KeyId), [current])
  }
  await primary.send(KeyId, B, by, asNew)
  await replica.send(KeyId, B, byThere)
  await rotating(kms).rotate(KeyId)
  const rotated = [named(a, `NON_CURRENT IMPORTED ${never}`), named(b, `CURRENT IMPORTED ${never}`)]
  for (const region of [primary, replica]) assert.deepEqual(await region.history(KeyId), rotated)
  const after = await there.send(new EncryptCommand({ KeyId, Plaintext }))
  for (const blob of [CiphertextBlob, after.CiphertextBlob]) {
    for (const client of [kms, there]) {
      const opened = await client.send(new DecryptCommand({ CiphertextBlob: blob }))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
    }
  }

  await replica.take(KeyId, a)
  assert.equal(await replica.state(KeyId), 'PendingImport -')
  assert.equal(await primary.state(KeyId), `Enabled ${never}`)
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  await primary.take(KeyId, a)
  await replica.send(KeyId, A, byThere)
  await there.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(await primary.state(KeyId), 'PendingImport -')
})

test('a replica says nothing of how long its material lasts before it has any, whatever the primary says', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const [kms, there] = [server.client({ region: east }), server.client({ region: west })]
  const [primary, replica] = [importing(kms), importing(there)]
  const KeyId = await primary.makeExternal({ MultiRegion: true })
  const material = randomBytes(32)
  const ValidTo = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000)
  await primary.send(KeyId, material, await primary.parameters(KeyId), { ValidTo })
  const expires = `Enabled KEY_MATERIAL_EXPIRES ${ValidTo.toISOString()}`
  assert.equal(await primary.state(KeyId), expires)
  const { ReplicaKeyMetadata } = await kms.send(
    new ReplicateKeyCommand({ KeyId, ReplicaRegion: west }),
  )
  const { CreationDate, ...made } = ReplicaKeyMetadata ?? {}
  assert(CreationDate instanceof Date)
  assert.deepEqual(made, {
    AWSAccountId: accountId,
    KeyId,
    Arn: arnIn(west, KeyId),
    Enabled: false,
    Description: '',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Creating',
    Origin: 'EXTERNAL',
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: true,
    MultiRegionConfiguration: config('REPLICA', KeyId, east, [west]),
  })
  await settled(there, KeyId)
  assert.equal(await replica.state(KeyId), 'PendingImport -')
  await replica.send(KeyId, material, await replica.parameters(KeyId))
  assert.equal(await replica.state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  assert.equal(await primary.state(KeyId), expires)
})

test('material expires in one Region and stays in the other', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const [kms, there] = [server.client({ region: east }), server.client({ region: west })]
  const [primary, replica] = [importing(kms), importing(there)]
  const KeyId = await primary.makeExternal({ MultiRegion: true })
  const material = randomBytes(32)
  const ValidTo = new Date(Date.now() + 3_600_000)
  await primary.send(KeyId, material, await primary.parameters(KeyId), { ValidTo })
  await replicate(kms, there, { KeyId, ReplicaRegion: west })
  await replica.send(KeyId, material, await replica.parameters(KeyId))
  const { CiphertextBlob } = await there.send(new EncryptCommand({ KeyId, Plaintext }))
  await advance(server.url, '2h')
  assert.equal(await primary.state(KeyId), 'PendingImport -')
  assert.equal(await replica.state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  await there.send(new DecryptCommand({ CiphertextBlob }))
  await primary.send(KeyId, material, await primary.parameters(KeyId))
  await kms.send(new DecryptCommand({ CiphertextBlob }))
})

test('material that expires while its key is Updating is used by nobody from then on', async (t) => {
  let now = Math.floor(Date.now() / 1000) * 1000
  const time = { system: () => now, monotonic: () => now }
  const server = await startTestServer({ TRENT_TEST_API: 'on' }, { time })
  t.after(() => server.stop())
  const [kms, there] = [server.client({ region: east }), server.client({ region: west })]
  const [primary, replica] = [importing(kms), importing(there)]
  const pass = async (ms: number): Promise<void> => {
    now += ms
    await advance(server.url, '0s')
  }
  const KeyId = await primary.makeExternal({ MultiRegion: true })
  const material = randomBytes(32)
  const ValidTo = new Date(now + 10_000)
  await primary.send(KeyId, material, await primary.parameters(KeyId), { ValidTo })
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: west }))
  await pass(1000)
  await replica.send(KeyId, material, await replica.parameters(KeyId))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await pass(8900)
  await kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: west }))
  assert.equal((await primary.metadata(KeyId)).KeyState, 'Updating')
  // Its date comes before the change of the primary key is over.
  await pass(100)
  const pending = `${arnIn(east, KeyId)} is pending import.`
  for (const call of [
    new EncryptCommand({ KeyId, Plaintext }),
    new DecryptCommand({ CiphertextBlob }),
  ]) {
    await refused(kms.send(call as EncryptCommand), 'KMSInvalidStateException', pending)
  }
  assert.equal(await primary.state(KeyId), 'PendingImport -')
  await pass(1000)
  assert.equal(await primary.state(KeyId), 'PendingImport -')
  assert.equal(await replica.state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  await primary.send(KeyId, material, await primary.parameters(KeyId))
  await kms.send(new DecryptCommand({ CiphertextBlob }))
})

test('a replica that comes is asked for what waits, and one that goes is not', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const [kms, there] = [server.client({ region: east }), server.client({ region: west })]
  const [primary, replica] = [importing(kms), importing(there)]
  const KeyId = await primary.makeExternal({ MultiRegion: true })
  const by = await primary.parameters(KeyId)
  const [A, B] = [randomBytes(32), randomBytes(32)]
  await primary.send(KeyId, A, by)
  await primary.send(KeyId, B, by, asNew)
  const waiting = async (of: typeof primary): Promise<string | undefined> =>
    (await of.history(KeyId))[1]?.split(' ')[1]
  assert.equal(await waiting(primary), 'PENDING_ROTATION')
  await replicate(kms, there, { KeyId, ReplicaRegion: west })
  for (const each of [primary, replica]) {
    assert.equal(await waiting(each), 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION')
  }
  const rotate = new RotateKeyOnDemandCommand({ KeyId })
  await refused(kms.send(rotate), 'KMSInvalidStateException', notEverywhere)
  await there.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await advance(server.url, '8d')
  assert.equal(await waiting(primary), 'PENDING_ROTATION')
  await settled(kms, KeyId)
  await rotating(kms).rotate(KeyId)
})
