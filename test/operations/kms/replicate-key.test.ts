import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import type { KeyRecord } from '../../../src/model/key.ts'
import { anyState } from '../../../src/model/key-state.ts'
import { replicateKey } from '../../../src/operations/kms/replicate-key.ts'
import {
  InputRefused,
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  readGiven,
  region,
  start,
  type World,
} from './memory-dependencies.ts'

const ReplicaRegion = 'eu-north-1'
const arnIn = (place: string, keyId: string): string =>
  `arn:aws:kms:${place}:${accountId}:key/${keyId}`

function replicaOf(world: World, { keyId }: KeyRecord): KeyRecord {
  const found = world.rows.keys.find((key) => key.keyId === keyId && key.region === ReplicaRegion)
  return found ?? assert.fail('no replica')
}

test('ReplicateKey makes a key of the same id and material that is Creating', async () => {
  const world = createWorld()
  const primary = await makeKey(world, {
    MultiRegion: true,
    Description: 'of the primary key',
    Tags: [{ TagKey: 'a', TagValue: '1' }],
  })
  const { keyId: KeyId } = primary
  await call(world, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 99 })
  world.now += 7
  const answer = await call(world, 'ReplicateKey', { KeyId, ReplicaRegion })
  assert.deepEqual(answer, {
    ReplicaKeyMetadata: {
      AWSAccountId: accountId,
      KeyId,
      Arn: arnIn(ReplicaRegion, KeyId),
      CreationDate: new Date(start + 7),
      Enabled: false,
      Description: '',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Creating',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      MultiRegion: true,
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'REPLICA',
        PrimaryKey: { Arn: arnIn(region, KeyId), Region: region },
        ReplicaKeys: [{ Arn: arnIn(ReplicaRegion, KeyId), Region: ReplicaRegion }],
      },
    },
    ReplicaPolicy: `default of ${accountId}`,
  })
  const replica = replicaOf(world, primary)
  assert.equal(replica.currentMaterialId, primary.currentMaterialId)
  assert.deepEqual([replica.rotationPeriodDays, replica.tags], [99, []])
  const states = world.rows.materialStates.filter((one) => one.region === ReplicaRegion)
  assert.deepEqual(
    states.map(({ materialId, ordinal, state }) => [materialId, ordinal, state]),
    [[primary.currentMaterialId, 1, 'CURRENT']],
  )
  assert.equal(world.rows.materials.length, 1)
})

test('ReplicateKey gives the replica the policy, the description and the tags that it is told', async () => {
  const world = createWorld()
  const primary = await makeKey(world, { MultiRegion: true })
  const Tags = [{ TagKey: 'team', TagValue: 'red' }]
  const given = { Policy: '{}', Description: 'of the replica', Tags }
  const { keyId: KeyId } = primary
  const answer = await call(world, 'ReplicateKey', { KeyId, ReplicaRegion, ...given })
  assert.deepEqual([answer['ReplicaPolicy'], answer['ReplicaTags']], ['{}', Tags])
  const { policy, description, tags } = replicaOf(world, primary)
  assert.deepEqual({ Policy: policy, Description: description, Tags: tags }, given)
})

test('ReplicateKey leaves a CreateKey in the Region of the replica', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, {
    MultiRegion: true,
    KeySpec: 'HMAC_256',
    KeyUsage: 'GENERATE_VERIFY_MAC',
  })
  await call(world, 'ReplicateKey', { KeyId, ReplicaRegion, Description: 'mine' })
  const [event, ...more] = world.further
  assert(event !== undefined && 'keys' in event)
  assert.deepEqual(more, [])
  assert.deepEqual([event.eventName, event.region], ['CreateKey', ReplicaRegion])
  assert.deepEqual(
    event.keys.map(({ region: place }) => place),
    [ReplicaRegion],
  )
  assert.deepEqual(event.requestParameters, {
    description: 'mine',
    keyUsage: 'GENERATE_VERIFY_MAC',
    customerMasterKeySpec: 'HMAC_256',
    keySpec: 'HMAC_256',
    origin: 'AWS_KMS',
    bypassPolicyLockoutSafetyCheck: false,
    multiRegion: true,
  })
  const metadata = event.responseElements['keyMetadata'] as Readonly<Record<string, unknown>>
  assert.deepEqual(
    [metadata['arn'], metadata['keyState']],
    [arnIn(ReplicaRegion, KeyId), 'Creating'],
  )
})

test('a replica of a key of imported material has all of it yet to come', async () => {
  const world = createWorld()
  const primary = await makeKey(world, { MultiRegion: true })
  const imported = { importState: 'IMPORTED', validTo: start + 9, description: 'mine' } as const
  world.rows.materialStates = world.rows.materialStates.map((one) => ({ ...one, ...imported }))
  const { keyId: KeyId } = alter(world, primary, {
    origin: 'EXTERNAL',
    materialExpirationModel: 'KEY_MATERIAL_EXPIRES',
    materialExpiresAt: start + 9,
  })
  await call(world, 'ReplicateKey', { KeyId, ReplicaRegion })
  const { materialExpirationModel, materialExpiresAt } = replicaOf(world, primary)
  assert.deepEqual([materialExpirationModel, materialExpiresAt], [undefined, undefined])
  const [state] = world.rows.materialStates.filter((one) => one.region === ReplicaRegion)
  assert.deepEqual(
    [state?.importState, state?.validTo, state?.description],
    ['PENDING_IMPORT', undefined, 'mine'],
  )
})

for (const state of anyState) {
  const refusal = state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException'
  test(`ReplicateKey of a key in ${state} is ${state === 'Enabled' ? 'done' : 'refused'}`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world, { MultiRegion: true }), { state })
    const outcome = call(world, 'ReplicateKey', { KeyId, ReplicaRegion })
    if (state === 'Enabled') await outcome
    else await assert.rejects(outcome, { code: refusal })
    assert.equal(world.rows.keys.length, state === 'Enabled' ? 2 : 1)
  })
}

const notPrimary = 'is not a multi-region primary key.'
const refusals: readonly [what: string, key: object, place: string, code: string, says: string][] =
  [
    ['a single-Region key', {}, ReplicaRegion, 'UnsupportedOperationException', notPrimary],
    [
      'a replica',
      { primaryRegion: 'us-east-1' },
      ReplicaRegion,
      'UnsupportedOperationException',
      notPrimary,
    ],
    [
      'a key into its own Region',
      { primaryRegion: region },
      region,
      'ValidationException',
      `${region} cannot have a replica because it contains the primary.`,
    ],
    [
      'a key into another partition',
      { primaryRegion: region },
      'cn-north-1',
      'ValidationException',
      'The replica key Region must be in the same AWS partition as the primary key Region.',
    ],
    [
      'a key into a Region that there is none of',
      { primaryRegion: region },
      'us-invalid-1',
      'ValidationException',
      'Region us-invalid-1 is not a valid Region or multi-Region keys are not supported in Region us-invalid-1.',
    ],
  ]

for (const [what, members, place, code, says] of refusals) {
  test(`ReplicateKey of ${what} is refused`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), members)
    const message = says === notPrimary ? `${arnIn(region, KeyId)} ${says}` : says
    const outcome = call(world, 'ReplicateKey', { KeyId, ReplicaRegion: place })
    await assert.rejects(outcome, { code, message })
    assert.equal(world.rows.keys.length, 1)
  })
}

for (const state of ['Creating', 'PendingDeletion'] as const) {
  test(`ReplicateKey into a Region whose replica is ${state} is refused`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world, { MultiRegion: true })
    await call(world, 'ReplicateKey', { KeyId, ReplicaRegion })
    if (state !== 'Creating') await call(world, 'ScheduleKeyDeletion', { KeyId }, ReplicaRegion)
    await assert.rejects(call(world, 'ReplicateKey', { KeyId, ReplicaRegion }), {
      code: 'AlreadyExistsException',
      message: 'You can create only one replica of each primary key in each AWS Region.',
    })
  })
}

test('ReplicateKey is refused where the Region is full, or the policy bad, and leaves nothing', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { MultiRegion: true })
  const resources = { ...world.dependencies.quotas.resources, keys: 0 }
  const full = {
    ...world,
    dependencies: { ...world.dependencies, quotas: { ...world.dependencies.quotas, resources } },
  }
  const replicate = (where: World): Promise<unknown> =>
    call(where, 'ReplicateKey', { KeyId, ReplicaRegion, Policy: '{}' })
  await assert.rejects(replicate(full), { code: 'LimitExceededException' })
  world.checkPolicy = () => Promise.reject(new KmsError('MalformedPolicyDocumentException'))
  await assert.rejects(replicate(world), { code: 'MalformedPolicyDocumentException' })
  assert.deepEqual([world.rows.keys.length, world.further.length], [1, 0])
})

test('a key that changes while it is replicated is replicated as it is then, or not at all', async () => {
  const world = createWorld()
  const primary = await makeKey(world, { MultiRegion: true })
  const { keyId: KeyId } = primary
  world.beforeCommit = () => void alter(world, primary, { rowVersion: 2 })
  await assert.rejects(call(world, 'ReplicateKey', { KeyId, ReplicaRegion }), { message: 'stale' })
})

test('ReplicateKey asks in the Region of the replica for the making of it, and for its tags', () => {
  const input = { KeyId: 'a', ReplicaRegion }
  const create = { action: 'kms:CreateKey', region: ReplicaRegion }
  assert.deepEqual(replicateKey.permissions?.(input), [create])
  const tagged = { ...input, Tags: [{ TagKey: 'a', TagValue: '' }] }
  const tag = {
    action: 'kms:TagResource',
    kmsResource: 'key/*',
    region: ReplicaRegion,
    unnamedResource: true,
  }
  assert.deepEqual(replicateKey.permissions?.(tagged), [create, tag])
})

test('ReplicateKey shows policies the Region, and to those of the making the key that is made', async () => {
  const key = await makeKey(createWorld(), { MultiRegion: true })
  const input = {
    KeyId: key.keyId,
    ReplicaRegion,
    BypassPolicyLockoutSafetyCheck: true,
    Tags: [{ TagKey: 'team', TagValue: 'red' }],
  }
  const bypass = { 'kms:BypassPolicyLockoutSafetyCheck': 'true' }
  const where = { 'kms:ReplicaRegion': ReplicaRegion }
  assert.deepEqual(replicateKey.context?.(input, 'key', { key }), { ...bypass, ...where })
  assert.deepEqual(replicateKey.context?.(input, undefined, { key }), {
    ...bypass,
    'kms:KeySpec': 'SYMMETRIC_DEFAULT',
    'kms:KeyUsage': 'ENCRYPT_DECRYPT',
    'kms:CustomerMasterKeySpec': 'SYMMETRIC_DEFAULT',
    'kms:CustomerMasterKeyUsage': 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:MultiRegion': 'true',
    'kms:MultiRegionKeyType': 'REPLICA',
    'aws:RequestTag/team': 'red',
    'aws:TagKeys': ['team'],
  })
})

for (const place of ['', 'eu', 'EU-NORTH-1', 'eu-north-x', 'a-b-c-d-1', `eu-${'n'.repeat(40)}-1`]) {
  test(`ReplicateKey refuses the Region '${place}' by its form`, () => {
    assert.throws(
      () => readGiven(replicateKey, { KeyId: 'a', ReplicaRegion: place }),
      (error) => error instanceof InputRefused,
    )
  })
}
