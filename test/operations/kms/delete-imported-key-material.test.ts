import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, describe, forever, makeImported, send, testStates } from './imported-keys.ts'
import { memoryMaterialId } from './memory-imports.ts'
import {
  alter,
  call,
  createWorld,
  rowOf,
  start,
  type Answer,
  type World,
} from './memory-dependencies.ts'
import { arnOf } from './rotatable-keys.ts'

const [first, second] = [bytesOf(1), bytesOf(2)]
const asNew = { ...forever, ImportType: 'NEW_KEY_MATERIAL' } as const

const take = (world: World, KeyId: string, KeyMaterialId?: string): Promise<Answer> =>
  call(world, 'DeleteImportedKeyMaterial', { KeyId, ...(KeyMaterialId && { KeyMaterialId }) })

const bytesLeft = ({ rows }: World): readonly number[] =>
  rows.materials.map(({ wrapped }) => wrapped.length)

test('DeleteImportedKeyMaterial takes the current material, and the key is pending import', async () => {
  const world = createWorld()
  const key = await makeImported(world)
  const { keyId } = key
  await send(world, keyId, first, { ValidTo: start / 1000 + 60 })
  const KeyMaterialId = memoryMaterialId(key, first)
  const answer = { KeyId: arnOf(keyId), KeyMaterialId }
  assert.deepEqual(await take(world, keyId), answer)
  assert.deepEqual(await describe(world, keyId), {
    KeyState: 'PendingImport',
    ExpirationModel: undefined,
    ValidTo: undefined,
    CurrentKeyMaterialId: KeyMaterialId,
  })
  assert.deepEqual(bytesLeft(world), [0])
  const { Rotations } = await call(world, 'ListKeyRotations', {
    KeyId: keyId,
    IncludeKeyMaterial: 'ALL_KEY_MATERIAL',
  })
  assert.deepEqual(Rotations, [
    { ...answer, ImportState: 'PENDING_IMPORT', KeyMaterialState: 'CURRENT' },
  ])
  // Deleting it again changes nothing.
  const { commits } = world
  assert.deepEqual(await take(world, keyId), answer)
  assert.deepEqual(await take(world, keyId, KeyMaterialId), answer)
  assert.equal(world.commits, commits)
  await send(world, keyId, first)
  assert.equal(rowOf(world, keyId).state, 'Enabled')
  assert.deepEqual(bytesLeft(world), [32])
})

test('DeleteImportedKeyMaterial of a key that never had any answers its ARN alone', async () => {
  const world = createWorld()
  const { keyId } = await makeImported(world)
  assert.deepEqual(await take(world, keyId), { KeyId: arnOf(keyId) })
  const unknown = '0'.repeat(64)
  await assert.rejects(take(world, keyId, unknown), {
    code: 'ValidationException',
    message: `Key material (id: ${unknown}) has never been imported into KMS key ${arnOf(keyId)}.`,
  })
})

test('DeleteImportedKeyMaterial of what waits for a rotation takes it all away, and leaves the key', async () => {
  const world = createWorld()
  const key = await makeImported(world)
  const { keyId } = key
  await send(world, keyId, first)
  await send(world, keyId, second, asNew)
  const id = memoryMaterialId(key, second)
  assert.deepEqual(await take(world, keyId, id), { KeyId: arnOf(keyId), KeyMaterialId: id })
  assert.equal(rowOf(world, keyId).state, 'Enabled')
  assert.deepEqual(bytesLeft(world), [32])
  assert.equal(world.rows.materialStates.length, 1)
  await assert.rejects(take(world, keyId, id), { code: 'ValidationException' })
  await assert.rejects(call(world, 'RotateKeyOnDemand', { KeyId: keyId }), {
    code: 'KMSInvalidStateException',
  })
  // The key is as new.
  await send(world, keyId, second, asNew)
  await call(world, 'RotateKeyOnDemand', { KeyId: keyId })
})

for (const state of ['PendingDeletion', 'PendingReplicaDeletion', 'Disabled'] as const) {
  test(`DeleteImportedKeyMaterial of a key in ${state} takes the material`, async () => {
    const world = createWorld()
    const { keyId } = await makeImported(world)
    await send(world, keyId, first)
    alter(world, rowOf(world, keyId), { state })
    await take(world, keyId)
    assert.deepEqual(bytesLeft(world), [0])
    const dying = state !== 'Disabled'
    assert.equal(rowOf(world, keyId).state, dying ? state : 'PendingImport')
    if (!dying) return
    await call(world, 'CancelKeyDeletion', { KeyId: keyId })
    assert.equal(rowOf(world, keyId).state, 'PendingImport')
  })
}

test('DeleteImportedKeyMaterial of an HMAC key takes and tells no id', async () => {
  const world = createWorld()
  const { keyId } = await makeImported(world, 'HMAC_224')
  await send(world, keyId, first)
  await assert.rejects(take(world, keyId, '0'.repeat(64)), {
    code: 'ValidationException',
    message: 'Input parameter keyMaterialId cannot be used with HMAC_224 imported keys.',
  })
  assert.deepEqual(await take(world, keyId), { KeyId: arnOf(keyId) })
  assert.equal(rowOf(world, keyId).state, 'PendingImport')
})

testStates('DeleteImportedKeyMaterial', ['Creating', 'Updating'], (world, { keyId }) =>
  take(world, keyId),
)
