import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRecord } from '../../../src/model/key.ts'
import { StaleRow } from '../../../src/store/store.ts'
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
import { arnOf, dayMs } from './rotatable-keys.ts'

const [first, second, third] = [bytesOf(1), bytesOf(2), bytesOf(3)]
const asNew = { ...forever, ImportType: 'NEW_KEY_MATERIAL' } as const
const until = (at: number): Answer => ({ ValidTo: at / 1000 })

async function imported(world: World): Promise<KeyRecord> {
  const key = await makeImported(world)
  await send(world, key.keyId, first)
  return rowOf(world, key.keyId)
}

async function history(world: World, KeyId: string): Promise<readonly Answer[]> {
  const { Rotations } = await call(world, 'ListKeyRotations', {
    KeyId,
    IncludeKeyMaterial: 'ALL_KEY_MATERIAL',
  })
  const entries = Rotations as readonly Answer[]
  for (const entry of entries) assert.equal(entry['KeyId'], arnOf(KeyId))
  return entries.map(({ KeyId: _arn, ...rest }) => rest)
}

test('ImportKeyMaterial gives a key its first material, and the key is enabled', async () => {
  const world = createWorld()
  const key = await makeImported(world)
  const KeyMaterialId = memoryMaterialId(key, first)
  const given = { ...forever, KeyMaterialDescription: 'the first' }
  assert.deepEqual(await send(world, key.keyId, first, given), {
    KeyId: arnOf(key.keyId),
    KeyMaterialId,
  })
  assert.deepEqual(await describe(world, key.keyId), {
    KeyState: 'Enabled',
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    ValidTo: undefined,
    CurrentKeyMaterialId: KeyMaterialId,
  })
  assert.deepEqual(await history(world, key.keyId), [
    {
      KeyMaterialId,
      KeyMaterialDescription: 'the first',
      ImportState: 'IMPORTED',
      KeyMaterialState: 'CURRENT',
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    },
  ])
  assert.deepEqual(
    world.rows.materials.map(({ materialId }) => materialId),
    [KeyMaterialId],
  )
})

test('ImportKeyMaterial of the same bytes again changes how long they stay, and what is said of them', async () => {
  const world = createWorld()
  const key = await imported(world)
  const { keyId } = key
  const id = memoryMaterialId(key, first)
  for (const type of [{}, { ImportType: 'EXISTING_KEY_MATERIAL' }, { KeyMaterialId: id }]) {
    await send(world, keyId, first, { ...until(start + dayMs + 999), ...type })
    const { ExpirationModel, ValidTo } = await describe(world, keyId)
    // Whole seconds.
    assert.deepEqual([ExpirationModel, ValidTo], ['KEY_MATERIAL_EXPIRES', new Date(start + dayMs)])
  }
  await send(world, keyId, first, { ...forever, KeyMaterialDescription: 'now said' })
  await send(world, keyId, first)
  const [only, ...more] = await history(world, keyId)
  assert.deepEqual(more, [])
  assert.deepEqual(only, {
    KeyMaterialId: id,
    KeyMaterialDescription: 'now said',
    ImportState: 'IMPORTED',
    KeyMaterialState: 'CURRENT',
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  })
})

test('ImportKeyMaterial of other bytes is refused, and names the material that is wanted', async () => {
  const world = createWorld()
  const key = await imported(world)
  const id = memoryMaterialId(key, first)
  const zeros = '0'.repeat(64)
  const expected = (wanted: string) => ({
    code: 'IncorrectKeyMaterialException',
    message: `Imported key material does not have the expected identifier (${wanted}).`,
  })
  const before = structuredClone(world.rows)
  for (const input of [
    forever,
    { ...forever, ImportType: 'EXISTING_KEY_MATERIAL' },
    { ...forever, KeyMaterialId: id },
  ]) {
    await assert.rejects(send(world, key.keyId, second, input), expected(id))
  }
  const named = { ...forever, KeyMaterialId: zeros }
  await assert.rejects(send(world, key.keyId, first, named), expected(zeros))
  assert.deepEqual(world.rows, before)
})

test('ImportKeyMaterial of existing material into a key that never had any is refused', async () => {
  const world = createWorld()
  const key = await makeImported(world)
  const given = { ...forever, ImportType: 'EXISTING_KEY_MATERIAL' }
  await assert.rejects(send(world, key.keyId, first, given), {
    code: 'IncorrectKeyMaterialException',
    message:
      `Key material (id: ${memoryMaterialId(key, first)}) being imported as ` +
      `EXISTING_KEY_MATERIAL has never been imported into KMS key ${arnOf(key.keyId)}.`,
  })
  const id = memoryMaterialId(key, first)
  await assert.rejects(send(world, key.keyId, second, { ...forever, KeyMaterialId: id }), {
    code: 'IncorrectKeyMaterialException',
  })
  await send(world, key.keyId, first, { ...forever, KeyMaterialId: id })
})

test('ImportKeyMaterial of new material waits for a rotation, one at a time', async () => {
  const world = createWorld()
  const key = await imported(world)
  const { keyId } = key
  const id = memoryMaterialId(key, second)
  const associated = (material: Uint8Array) => ({
    code: 'IncorrectKeyMaterialException',
    message:
      `Key material (id: ${memoryMaterialId(key, material)}) being imported as ` +
      `NEW_KEY_MATERIAL is already associated with KMS key ${arnOf(keyId)}.`,
  })
  await assert.rejects(send(world, keyId, first, asNew), associated(first))
  assert.deepEqual(await send(world, keyId, second, asNew), {
    KeyId: arnOf(keyId),
    KeyMaterialId: id,
  })
  const described = await describe(world, keyId)
  assert.equal(described['CurrentKeyMaterialId'], memoryMaterialId(key, first))
  assert.deepEqual(
    (await history(world, keyId)).map(({ KeyMaterialState }) => KeyMaterialState),
    ['CURRENT', 'PENDING_ROTATION'],
  )
  await assert.rejects(send(world, keyId, second, asNew), associated(second))
  await assert.rejects(send(world, keyId, third, asNew), {
    code: 'KMSInvalidStateException',
    message:
      `New key material (id: ${memoryMaterialId(key, third)}) cannot be imported into KMS key ` +
      `${arnOf(keyId)}, because another key material (id: ${id}) is pending rotation.`,
  })
  // The expiry of waiting material is not the key's.
  await send(world, keyId, second, until(start + dayMs))
  assert.equal((await describe(world, keyId))['ValidTo'], undefined)
})

test('a key is enabled when the last of what it needs is there', async () => {
  const world = createWorld()
  const key = await imported(world)
  const { keyId } = key
  await send(world, keyId, second, asNew)
  // The state after the rotation.
  const [old, pending] = world.rows.materialStates
  assert(old && pending)
  world.rows.materialStates = [
    { ...old, state: 'NON_CURRENT' },
    { ...pending, state: 'CURRENT', rotationType: 'ON_DEMAND', rotatedAt: start },
  ]
  for (const material of [first, second]) {
    const KeyMaterialId = memoryMaterialId(key, material)
    await call(world, 'DeleteImportedKeyMaterial', { KeyId: keyId, KeyMaterialId })
  }
  await send(world, keyId, second)
  const { KeyState, ExpirationModel } = await describe(world, keyId)
  assert.deepEqual([KeyState, ExpirationModel], ['PendingImport', undefined])
  await send(world, keyId, first, until(start + 5000))
  const { KeyState: state, ValidTo } = await describe(world, keyId)
  assert.deepEqual([state, ValidTo], ['Enabled', new Date(start + 5000)])
})

test('ImportKeyMaterial enables a disabled key when the key needs it, and not by what only waits', async () => {
  const world = createWorld()
  const { keyId } = await imported(world)
  const disable = (): KeyRecord => alter(world, rowOf(world, keyId), { state: 'Disabled' })
  disable()
  await send(world, keyId, first)
  assert.equal(rowOf(world, keyId).state, 'Enabled')
  disable()
  await send(world, keyId, second, asNew)
  await send(world, keyId, second)
  assert.equal(rowOf(world, keyId).state, 'Disabled')
})

test('ImportKeyMaterial leaves a key that is Updating as it is', async () => {
  const world = createWorld()
  const { keyId } = await imported(world)
  alter(world, rowOf(world, keyId), { state: 'Updating' })
  await send(world, keyId, first)
  assert.equal(rowOf(world, keyId).state, 'Updating')
})

for (const spec of ['HMAC_224', 'RSA_2048', 'ECC_NIST_P256'] as const) {
  test(`ImportKeyMaterial of ${spec} is of one material, which is not told apart`, async () => {
    const world = createWorld()
    const key = await makeImported(world, spec)
    const { keyId } = key
    for (const [member, value, name] of [
      ['ImportType', 'NEW_KEY_MATERIAL', 'importType'],
      ['KeyMaterialId', '0'.repeat(64), 'keyMaterialId'],
      ['KeyMaterialDescription', 'd', 'keyMaterialDescription'],
    ] as const) {
      await assert.rejects(send(world, keyId, first, { ...forever, [member]: value }), {
        code: 'ValidationException',
        message: `Input parameter ${name} cannot be used with ${spec} imported keys.`,
      })
    }
    assert.deepEqual(await send(world, keyId, first), { KeyId: arnOf(keyId) })
    assert.equal((await describe(world, keyId))['CurrentKeyMaterialId'], undefined)
    await send(world, keyId, first)
    await assert.rejects(send(world, keyId, second), {
      code: 'IncorrectKeyMaterialException',
      message:
        'Imported key material does not have the expected identifier ' +
        `(${memoryMaterialId(key, first)}).`,
    })
  })
}

const yearMs = 365 * dayMs
for (const [what, input, message] of [
  ['no date', {}, 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'],
  [
    'a date for what does not expire',
    { ...forever, ...until(start + dayMs) },
    'A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
  ],
  ['a date in the past', until(start - 1000), 'ValidTo must be in the future'],
  ['a date that is now', until(start), 'ValidTo must be in the future'],
  ['a date this very second', until(start + 999), 'ValidTo must be in the future'],
  [
    'a date in more than a year',
    until(start + yearMs + 1000),
    'ValidTo must be less than 365 days in the future',
  ],
  ['the year 9999', until(Date.UTC(9999, 0)), 'ValidTo must be less than 365 days in the future'],
  [
    'the id of new material',
    { ...asNew, KeyMaterialId: '0'.repeat(64) },
    'Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.',
  ],
] as const) {
  test(`ImportKeyMaterial with ${what} is refused`, async () => {
    const world = createWorld()
    const { keyId } = await makeImported(world)
    const refusal = { code: 'ValidationException', message }
    await assert.rejects(send(world, keyId, first, input), refusal)
    assert.equal(rowOf(world, keyId).state, 'PendingImport')
  })
}

test('ImportKeyMaterial takes dates from the next second to a year', async () => {
  const world = createWorld()
  const { keyId } = await makeImported(world)
  for (const at of [start + 1000, start + yearMs]) {
    await send(world, keyId, first, until(at))
    assert.deepEqual((await describe(world, keyId))['ValidTo'], new Date(at))
  }
})

test('ImportKeyMaterial by the token of another key, or a token that has expired, is refused', async () => {
  const world = createWorld()
  const { keyId } = await makeImported(world)
  const { keyId: other } = await makeImported(world)
  const token = (of: string, validTo: number): Answer => ({
    ...forever,
    ImportToken: Buffer.from(JSON.stringify({ keyId: of, validTo })).toString('base64'),
  })
  const later = start + 1000
  for (const [input, code] of [
    [token(other, later), 'InvalidImportTokenException'],
    [token(keyId, start), 'ExpiredImportTokenException'],
  ] as const) {
    await assert.rejects(send(world, keyId, first, input), { code })
  }
  await send(world, keyId, first, token(keyId, later))
})

test('ImportKeyMaterial into a key that has changed meanwhile is decided again', async () => {
  const world = createWorld()
  const { keyId } = await makeImported(world)
  world.beforeCommit = () => void alter(world, rowOf(world, keyId), { rowVersion: 7 })
  await assert.rejects(send(world, keyId, first), StaleRow)
  assert.deepEqual(world.rows.materials, [])
})

testStates(
  'ImportKeyMaterial',
  ['Creating', 'PendingDeletion', 'PendingReplicaDeletion', 'Unavailable'],
  (world, { keyId }) => send(world, keyId, first),
)
