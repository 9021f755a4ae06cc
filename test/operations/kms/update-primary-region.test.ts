import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRecord } from '../../../src/model/key.ts'
import { anyState } from '../../../src/model/key-state.ts'
import { updatePrimaryRegion } from '../../../src/operations/kms/update-primary-region.ts'
import {
  accountId,
  call,
  createWorld,
  makeKey,
  region,
  start,
  type World,
} from './memory-dependencies.ts'

const PrimaryRegion = 'eu-north-1'
const otherRegion = 'ap-south-1'
const arnIn = (place: string, keyId: string): string =>
  `arn:aws:kms:${place}:${accountId}:key/${keyId}`

/** A primary key with replicas that are ready. */
async function makeRelated(
  world: World,
  places: readonly string[] = [PrimaryRegion],
): Promise<string> {
  const { keyId: KeyId } = await makeKey(world, { MultiRegion: true })
  for (const ReplicaRegion of places) await call(world, 'ReplicateKey', { KeyId, ReplicaRegion })
  for (const place of places) alterIn(world, place, { state: 'Enabled' })
  world.further.length = 0
  return KeyId
}

function alterIn(world: World, place: string, members: Partial<KeyRecord>): void {
  world.rows.keys = world.rows.keys.map((key) =>
    key.region === place ? { ...key, ...members } : key,
  )
}

test('UpdatePrimaryRegion has both keys Updating, and says to every one which is the primary', async () => {
  const world = createWorld()
  const KeyId = await makeRelated(world, [PrimaryRegion, otherRegion])
  world.now += 3
  assert.deepEqual(await call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion }), {})
  assert.deepEqual(
    world.rows.keys.map((key) => [
      key.region,
      key.primaryRegion,
      key.state,
      key.transitionStartedAt,
    ]),
    [
      [region, PrimaryRegion, 'Updating', start + 3],
      [PrimaryRegion, PrimaryRegion, 'Updating', start + 3],
      [otherRegion, PrimaryRegion, 'Enabled', start],
    ],
  )
  const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId })
  const { Enabled, MultiRegionConfiguration } = KeyMetadata as Readonly<Record<string, unknown>>
  assert.equal(Enabled, false)
  assert.deepEqual(MultiRegionConfiguration, {
    MultiRegionKeyType: 'REPLICA',
    PrimaryKey: { Arn: arnIn(PrimaryRegion, KeyId), Region: PrimaryRegion },
    ReplicaKeys: [otherRegion, region].map((place) => ({
      Arn: arnIn(place, KeyId),
      Region: place,
    })),
  })
})

test('UpdatePrimaryRegion leaves a record in the other Region as well, and one of what others are told', async () => {
  const world = createWorld()
  const KeyId = await makeRelated(world, [PrimaryRegion, otherRegion])
  await call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion })
  const [forwarded, told, ...more] = world.further
  assert(forwarded !== undefined && 'keys' in forwarded)
  assert(told !== undefined && 'key' in told)
  assert.deepEqual(more, [])
  const { keys, ...rest } = forwarded
  const keyId = arnIn(PrimaryRegion, KeyId)
  assert.deepEqual(rest, {
    eventName: 'UpdatePrimaryRegion',
    region: PrimaryRegion,
    requestParameters: { keyId, primaryRegion: PrimaryRegion },
    responseElements: { keyId },
  })
  assert.deepEqual(
    [keys.map((key) => key.region), told.eventName, told.key.region],
    [[PrimaryRegion], 'SynchronizeMultiRegionKey', PrimaryRegion],
  )
})

test('UpdatePrimaryRegion to where the primary key is changes nothing', async () => {
  const world = createWorld()
  const KeyId = await makeRelated(world)
  const { commits } = world
  await call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: region })
  assert.equal(world.commits, commits)
})

for (const place of [otherRegion, 'cn-north-1', 'us-invalid-1']) {
  test(`UpdatePrimaryRegion to ${place}, where no replica is, is refused`, async () => {
    const world = createWorld()
    const KeyId = await makeRelated(world)
    await assert.rejects(call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: place }), {
      code: 'ValidationException',
      message: `${KeyId} does not have a replica key in the specified Region.`,
    })
  })
}

test('UpdatePrimaryRegion of a replica or of a single-Region key is refused', async () => {
  const world = createWorld()
  const single = await makeKey(world)
  const KeyId = await makeRelated(world)
  const code = 'KMSInvalidStateException'
  const outcome = call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion }, PrimaryRegion)
  const message = `${arnIn(PrimaryRegion, KeyId)} is not a multi-Region primary key.`
  await assert.rejects(outcome, { code, message })
  const given = { KeyId: single.keyId, PrimaryRegion }
  await assert.rejects(call(world, 'UpdatePrimaryRegion', given), { code })
})

for (const place of [region, PrimaryRegion]) {
  for (const state of anyState) {
    const allowed = state === 'Enabled' || state === 'Updating'
    test(`UpdatePrimaryRegion with the key of ${place} in ${state} is ${allowed ? 'done' : 'refused by its name'}`, async () => {
      const world = createWorld()
      const KeyId = await makeRelated(world)
      alterIn(world, place, { state })
      const outcome = call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion })
      if (allowed) return void (await outcome)
      const code = state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException'
      const message = new RegExp(`^${arnIn(place, KeyId)} is `)
      return assert.rejects(outcome, { code, message })
    })
  }
}

test('UpdatePrimaryRegion takes the rotation of the key along', async () => {
  const world = createWorld()
  const KeyId = await makeRelated(world)
  await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
  await call(world, 'RotateKeyOnDemand', { KeyId })
  await call(world, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion })
  const status = await call(world, 'GetKeyRotationStatus', { KeyId }, PrimaryRegion)
  assert.deepEqual(
    [status['RotationPeriodInDays'], status['OnDemandRotationStartDate']],
    [90, new Date(start)],
  )
  await assert.rejects(call(world, 'RotateKeyOnDemand', { KeyId }), {
    code: 'UnsupportedOperationException',
    message: `${arnIn(region, KeyId)} is a multi-region replica key which is not valid for RotateKeyOnDemand.`,
  })
})

test('UpdatePrimaryRegion shows policies the Region of the next primary key', () => {
  const input = { KeyId: 'a', PrimaryRegion }
  const shown = { 'kms:PrimaryRegion': PrimaryRegion }
  assert.deepEqual(updatePrimaryRegion.context?.(input, 'key', {}), shown)
})
