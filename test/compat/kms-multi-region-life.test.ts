/** Multi-Region keys over time: rotation through replicas, and in which order they are deleted. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { arnIn, describe, makePrimary, replicate, settled } from './multi-region.ts'
import { recordsOf } from './records.ts'
import { rotating } from './rotating.ts'
import { answerOf, refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const here = 'us-west-2'
const there = 'eu-north-1'
const third = 'ap-south-1'
const Plaintext = Buffer.from('x')
const dayMs = 86_400_000

interface World {
  readonly server: TestServer
  readonly kms: KMSClient
  readonly kmsThere: KMSClient
  readonly KeyId: string
}

async function openWorld(t: TestContext): Promise<World> {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const kms = server.client()
  const kmsThere = server.client({ region: there })
  const KeyId = await makePrimary(kms)
  await replicate(kms, kmsThere, { KeyId, ReplicaRegion: there })
  return { server, kms, kmsThere, KeyId }
}

async function events({ server }: World, name: string): Promise<readonly string[]> {
  const found = (await recordsOf(server.directory)).filter(({ eventName }) => eventName === name)
  return found.map(({ awsRegion }) => awsRegion)
}

test('a rotation of the primary key reaches every replica before anything is sealed under it', async (t) => {
  const world = await openWorld(t)
  const { kms, kmsThere, KeyId } = world
  const synchronized = (await events(world, 'SynchronizeMultiRegionKey')).length
  const before = await kmsThere.send(new EncryptCommand({ KeyId, Plaintext }))
  await rotating(kms).rotate(KeyId)
  const [mine, theirs] = [await describe(kms, KeyId), await describe(kmsThere, KeyId)]
  assert.equal(theirs.CurrentKeyMaterialId, mine.CurrentKeyMaterialId)
  const after = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const opened = await kmsThere.send(new DecryptCommand({ CiphertextBlob: after.CiphertextBlob }))
  assert.equal(opened.KeyMaterialId, mine.CurrentKeyMaterialId)
  for (const client of [kms, kmsThere]) {
    const old = await client.send(new DecryptCommand({ CiphertextBlob: before.CiphertextBlob }))
    assert.notEqual(old.KeyMaterialId, mine.CurrentKeyMaterialId)
    const [entry, ...more] = await rotating(client).rotations(KeyId)
    assert.deepEqual([entry?.RotationType, more.length], ['ON_DEMAND', 0])
    const all = await rotating(client).rotations(KeyId, 'ALL_KEY_MATERIAL')
    assert.deepEqual(
      all.map((one) => [one.KeyMaterialState, one.KeyId]),
      ['NON_CURRENT', 'CURRENT'].map((state) => [
        state,
        arnIn(client === kms ? here : there, KeyId),
      ]),
    )
  }
  assert.deepEqual(await events(world, 'RotateKey'), [here])
  const now = await events(world, 'SynchronizeMultiRegionKey')
  assert.deepEqual(now.slice(synchronized), [here])
  // One that is made later has what was there before it.
  const kmsThird = world.server.client({ region: third })
  await replicate(kms, kmsThird, { KeyId, ReplicaRegion: third })
  for (const { CiphertextBlob } of [before, after]) {
    await kmsThird.send(new DecryptCommand({ CiphertextBlob }))
  }
})

test('the schedule is set where the primary key is, told everywhere, and goes where the primary goes', async (t) => {
  const { server, kms, kmsThere, KeyId } = await openWorld(t)
  for (const [name, command] of [
    ['EnableKeyRotation', new EnableKeyRotationCommand({ KeyId })],
    ['DisableKeyRotation', new DisableKeyRotationCommand({ KeyId })],
    ['RotateKeyOnDemand', new RotateKeyOnDemandCommand({ KeyId })],
  ] as const) {
    await refused(
      kmsThere.send(command),
      'UnsupportedOperationException',
      `${arnIn(there, KeyId)} is a multi-region replica key which is not valid for ${name}.`,
    )
  }
  await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }))
  const { KeyId: mine, ...status } = await answerOf(rotating(kms).status(KeyId))
  const { KeyId: theirs, ...told } = await answerOf(rotating(kmsThere).status(KeyId))
  assert.deepEqual([mine, theirs], [arnIn(here, KeyId), arnIn(there, KeyId)])
  assert.equal(status['RotationPeriodInDays'], 90)
  assert.deepEqual(told, status)
  const update = new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there })
  await kms.send(update)
  await settled(kmsThere, KeyId)
  await settled(kms, KeyId)
  await refused(
    kms.send(new DisableKeyRotationCommand({ KeyId })),
    'UnsupportedOperationException',
    `${arnIn(here, KeyId)} is a multi-region replica key which is not valid for DisableKeyRotation.`,
  )
  // The replica's own state keeps nothing from it: what it shares, it shares.
  await kms.send(new DisableKeyCommand({ KeyId }))
  await advance(server.url, '91d')
  const rotated = await rotating(kmsThere).rotations(KeyId)
  assert.deepEqual(
    rotated.map(({ RotationType }) => RotationType),
    ['AUTOMATIC'],
  )
  await kms.send(new EnableKeyCommand({ KeyId }))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const opened = await kmsThere.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(opened.KeyMaterialId, rotated[0]?.KeyMaterialId)
  await kmsThere.send(new DisableKeyRotationCommand({ KeyId }))
  assert.equal((await rotating(kms).status(KeyId)).KeyRotationEnabled, false)
})

test('a primary key waits for its replicas, and its own window begins when the last is gone', async (t) => {
  const world = await openWorld(t)
  const { server, kms, kmsThere, KeyId } = world
  const kmsThird = server.client({ region: third })
  await replicate(kms, kmsThird, { KeyId, ReplicaRegion: third })
  await kms.send(new EnableKeyRotationCommand({ KeyId }))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const schedule = { KeyId, PendingWindowInDays: 9 }
  assert.deepEqual(await answerOf(kms.send(new ScheduleKeyDeletionCommand(schedule))), {
    KeyId: arnIn(here, KeyId),
    KeyState: 'PendingReplicaDeletion',
    PendingWindowInDays: 9,
  })
  assert.equal((await rotating(kms).status(KeyId)).KeyRotationEnabled, true)
  const waiting = await describe(kms, KeyId)
  assert.deepEqual(
    [waiting.KeyState, waiting.DeletionDate, waiting.PendingDeletionWindowInDays],
    ['PendingReplicaDeletion', undefined, 9],
  )
  const says = `${arnIn(here, KeyId)} is pending replica deletion.`
  for (const command of [
    new EncryptCommand({ KeyId, Plaintext }),
    new ScheduleKeyDeletionCommand({ KeyId }),
    new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'us-east-1' }),
    new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there }),
  ]) {
    await refused(kms.send(command as EncryptCommand), 'KMSInvalidStateException', says)
  }
  // Replicas are not deleted with it, and go on.
  await advance(server.url, '60d')
  await kmsThere.send(new DecryptCommand({ CiphertextBlob }))
  await kms.send(new CancelKeyDeletionCommand({ KeyId }))
  assert.equal((await describe(kms, KeyId)).KeyState, 'Disabled')
  await kms.send(new ScheduleKeyDeletionCommand(schedule))
  await kmsThere.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await kmsThird.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 8 }))
  await advance(server.url, '7d')
  assert.equal((await describe(kms, KeyId)).KeyState, 'PendingReplicaDeletion')
  const { MultiRegionConfiguration } = await describe(kms, KeyId)
  assert.deepEqual(
    MultiRegionConfiguration?.ReplicaKeys?.map(({ Region }) => Region),
    [third],
  )
  const lastGone = await advance(server.url, '1d')
  const begun = await describe(kms, KeyId)
  assert.equal(begun.KeyState, 'PendingDeletion')
  const late = (begun.DeletionDate?.getTime() ?? 0) - (lastGone + 9 * dayMs)
  assert(Math.abs(late) < 60_000, `${late} ms`)
  await kms.send(new CancelKeyDeletionCommand({ KeyId }))
  await kms.send(new EnableKeyCommand({ KeyId }))
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await advance(server.url, '7d')
  const gone = `Key '${arnIn(here, KeyId)}' does not exist`
  await refused(kms.send(new DecryptCommand({ CiphertextBlob, KeyId })), 'NotFoundException', gone)
  assert.deepEqual(await events(world, 'DeleteKey'), [there, third, here])
})

test('a replica that was deleted can be made again, and opens what was sealed before', async (t) => {
  const { server, kms, kmsThere, KeyId } = await openWorld(t)
  const { CiphertextBlob } = await kmsThere.send(new EncryptCommand({ KeyId, Plaintext }))
  await kmsThere.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  const again = { KeyId, ReplicaRegion: there }
  await refused(
    kms.send(new ReplicateKeyCommand(again)),
    'AlreadyExistsException',
    'You can create only one replica of each primary key in each AWS Region.',
  )
  await refused(
    kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there })),
    'KMSInvalidStateException',
    `${arnIn(there, KeyId)} is pending deletion.`,
  )
  await advance(server.url, '7d')
  await assert.rejects(kmsThere.send(new DecryptCommand({ CiphertextBlob })), {
    name: 'AccessDeniedException',
  })
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  await replicate(kms, kmsThere, again)
  await kmsThere.send(new DecryptCommand({ CiphertextBlob }))
})

test('a replica that is to be deleted while it is Creating comes back whole', async (t) => {
  const { server, kms, KeyId } = await openWorld(t)
  const kmsThird = server.client({ region: third })
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: third }))
  await kmsThird.send(new ScheduleKeyDeletionCommand({ KeyId }))
  await advance(server.url, '1d')
  assert.equal((await describe(kmsThird, KeyId)).KeyState, 'PendingDeletion')
  await kmsThird.send(new CancelKeyDeletionCommand({ KeyId }))
  await kmsThird.send(new EnableKeyCommand({ KeyId }))
  await kmsThird.send(new DecryptCommand({ CiphertextBlob }))
})
