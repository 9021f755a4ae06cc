import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaterialStateRecord } from '../../../src/model/key-material.ts'
import { anyState } from '../../../src/model/key-state.ts'
import { alter, call, createWorld, makeKey, start, type World } from './memory-dependencies.ts'
import { arnOf } from './rotatable-keys.ts'

async function worldWithRotations(): Promise<readonly [World, string]> {
  const world = createWorld()
  const { keyId } = await makeKey(world)
  const [first] = world.rows.materialStates
  assert(first)
  const add = (ordinal: number, members: Partial<MaterialStateRecord>): void => {
    const materialId = String(ordinal).repeat(64).slice(0, 64)
    world.rows.materialStates.push({ ...first, ordinal, materialId, ...members })
  }
  world.rows.materialStates[0] = { ...first, state: 'NON_CURRENT', importState: 'PENDING_IMPORT' }
  const imported = { importState: 'IMPORTED', expirationModel: 'KEY_MATERIAL_EXPIRES' } as const
  add(2, { state: 'NON_CURRENT', rotationType: 'AUTOMATIC', rotatedAt: start })
  add(3, { ...imported, validTo: start + 9, rotationType: 'ON_DEMAND', rotatedAt: start + 1 })
  add(4, { ...imported, state: 'PENDING_ROTATION', description: 'the next' })
  return [world, keyId]
}

const id = (digit: string): string => digit.repeat(64)

test('ListKeyRotations lists rotations alone unless all material is asked for', async () => {
  const [world, KeyId] = await worldWithRotations()
  const first = world.rows.materialStates[0]?.materialId
  const rotations = [
    {
      KeyId: arnOf(KeyId),
      KeyMaterialId: id('2'),
      KeyMaterialState: 'NON_CURRENT',
      RotationDate: new Date(start),
      RotationType: 'AUTOMATIC',
    },
    {
      KeyId: arnOf(KeyId),
      KeyMaterialId: id('3'),
      ImportState: 'IMPORTED',
      KeyMaterialState: 'CURRENT',
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo: new Date(start + 9),
      RotationDate: new Date(start + 1),
      RotationType: 'ON_DEMAND',
    },
  ]
  for (const IncludeKeyMaterial of [undefined, 'ROTATIONS_ONLY']) {
    const answer = await call(world, 'ListKeyRotations', { KeyId, IncludeKeyMaterial })
    assert.deepEqual(answer, { Rotations: rotations, Truncated: false })
  }
  const all = await call(world, 'ListKeyRotations', {
    KeyId,
    IncludeKeyMaterial: 'ALL_KEY_MATERIAL',
  })
  assert.deepEqual(all['Rotations'], [
    {
      KeyId: arnOf(KeyId),
      KeyMaterialId: first,
      ImportState: 'PENDING_IMPORT',
      KeyMaterialState: 'NON_CURRENT',
    },
    ...rotations,
    {
      KeyId: arnOf(KeyId),
      KeyMaterialId: id('4'),
      KeyMaterialDescription: 'the next',
      ImportState: 'IMPORTED',
      KeyMaterialState: 'PENDING_ROTATION',
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    },
  ])
})

test('ListKeyRotations of a key that was never rotated lists its one material, but no rotation', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const ask = (members: object): Promise<unknown> =>
    call(world, 'ListKeyRotations', { KeyId: key.keyId, ...members })
  const all = { IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1 }
  assert.deepEqual(await ask(all), {
    Rotations: [
      {
        KeyId: arnOf(key.keyId),
        KeyMaterialId: key.currentMaterialId,
        KeyMaterialState: 'CURRENT',
      },
    ],
    Truncated: false,
  })
  assert.deepEqual(await ask({}), { Rotations: [], Truncated: false })
})

test('ListKeyRotations gives pages, each material once', async () => {
  const [world, KeyId] = await worldWithRotations()
  const seen: unknown[] = []
  const all = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1 }
  let page = await call(world, 'ListKeyRotations', all)
  for (;;) {
    const [entry, ...more] = page['Rotations'] as { KeyMaterialId: string }[]
    assert(entry && more.length === 0)
    seen.push(entry.KeyMaterialId)
    if (page['Truncated'] !== true) break
    page = await call(world, 'ListKeyRotations', { ...all, Marker: page['NextMarker'] })
  }
  assert.deepEqual(
    seen,
    world.rows.materialStates.map(({ materialId }) => materialId),
  )
  const { NextMarker } = await call(world, 'ListKeyRotations', all)
  await assert.rejects(call(world, 'ListKeyRotations', { KeyId, Marker: NextMarker }), {
    code: 'InvalidMarkerException',
  })
})

test('ListKeyRotations answers in every state', async () => {
  const [world, KeyId] = await worldWithRotations()
  for (const state of anyState) {
    alter(world, world.rows.keys[0] ?? assert.fail(), { state })
    const { Rotations } = await call(world, 'ListKeyRotations', { KeyId })
    assert.equal((Rotations as unknown[]).length, 2)
  }
})

test('ListKeyRotations of other keys than symmetric ones is empty, and takes no ALL_KEY_MATERIAL', async () => {
  for (const spec of ['HMAC_256', 'RSA_2048'] as const) {
    const world = createWorld()
    const { keyId: KeyId } = alter(world, await makeKey(world), { spec })
    for (const IncludeKeyMaterial of [undefined, 'ROTATIONS_ONLY']) {
      const answer = await call(world, 'ListKeyRotations', { KeyId, IncludeKeyMaterial })
      assert.deepEqual(answer, { Rotations: [], Truncated: false })
    }
    await assert.rejects(
      call(world, 'ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
      {
        code: 'ValidationException',
        message: 'Input parameter includeKeyMaterial can only be used with symmetric keys.',
      },
    )
  }
})

test('ListKeyRotations takes no alias', async () => {
  await assert.rejects(call(createWorld(), 'ListKeyRotations', { KeyId: 'alias/a' }), {
    code: 'InvalidArnException',
  })
})
