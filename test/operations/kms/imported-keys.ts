/** Keys of imported material, for the tests of the operations that import and delete it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyOrigin, KeyRecord, KeySpec, KeyState, KeyUsage } from '../../../src/model/key.ts'
import {
  alter,
  call,
  createWorld,
  makeKey,
  rowOf,
  type Answer,
  type World,
} from './memory-dependencies.ts'
import { arnOf } from './rotatable-keys.ts'

export const bytesOf = (digit: number): Buffer => Buffer.alloc(32, digit)
export const forever = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const

const usages: Partial<Readonly<Record<KeySpec, KeyUsage>>> = {
  HMAC_224: 'GENERATE_VERIFY_MAC',
  RSA_2048: 'SIGN_VERIFY',
  ECC_NIST_P256: 'KEY_AGREEMENT',
}

export async function makeImported(
  world: World,
  spec: KeySpec = 'SYMMETRIC_DEFAULT',
): Promise<KeyRecord> {
  const usage = usages[spec]
  return makeKey(world, {
    Origin: 'EXTERNAL',
    KeySpec: spec,
    ...(usage && { KeyUsage: usage }),
  })
}

/** Sends `material` in the clear, as the in-memory key store expects it. */
export async function send(
  world: World,
  KeyId: string,
  material: Uint8Array,
  input: Answer = forever,
): Promise<Answer> {
  const ImportToken = Buffer.from(JSON.stringify({ keyId: KeyId, validTo: world.now + 1 }))
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  return call(world, 'ImportKeyMaterial', {
    KeyId,
    ImportToken: base64(ImportToken),
    EncryptedKeyMaterial: base64(material),
    ...input,
  })
}

/** The members of DescribeKey about a key's material. */
export async function describe(world: World, KeyId: string): Promise<Answer> {
  const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId })
  const { KeyState, ExpirationModel, ValidTo, CurrentKeyMaterialId } = KeyMetadata as Answer
  return { KeyState, ExpirationModel, ValidTo, CurrentKeyMaterialId }
}

const says: Readonly<Record<Exclude<KeyState, 'Enabled' | 'Disabled' | 'PendingImport'>, string>> =
  {
    Creating: 'is creating.',
    PendingDeletion: 'is pending deletion.',
    PendingReplicaDeletion: 'is pending replica deletion.',
    Unavailable: 'is unavailable.',
    Updating: 'is updating.',
  }

/** Adds a test for each refused state, and for each refused origin in any state. */
export function testStates(
  name: string,
  refused: readonly (keyof typeof says)[],
  perform: (world: World, key: KeyRecord) => Promise<unknown>,
): void {
  for (const state of Object.keys(says) as (keyof typeof says)[]) {
    if (refused.includes(state)) testRefused(name, state, perform)
  }
  const done = [...Object.keys(says), 'Enabled', 'Disabled', 'PendingImport'] as KeyState[]
  for (const state of done.filter((one) => !refused.some((other) => other === one))) {
    test(`${name} of an imported key that is ${state} is done`, async () => {
      const world = createWorld()
      await perform(world, alter(world, await makeImported(world), { state }))
    })
  }
  for (const origin of ['AWS_KMS', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const) {
    for (const state of ['Enabled', 'Disabled', 'PendingDeletion', 'Unavailable'] as const) {
      testOrigin(name, origin, state, perform)
    }
  }

  test(`${name} takes no alias`, async () => {
    const world = createWorld()
    const key = await makeImported(world)
    await assert.rejects(perform(world, { ...key, keyId: 'alias/a' }), {
      code: 'InvalidArnException',
      message: 'Key Aliases are not supported for this operation.',
    })
  })
}

function testRefused(
  name: string,
  state: keyof typeof says,
  perform: (world: World, key: KeyRecord) => Promise<unknown>,
): void {
  test(`${name} of a key that is ${state} is refused`, async () => {
    const world = createWorld()
    const key = alter(world, await makeImported(world), { state })
    const before = structuredClone(world.rows)
    await assert.rejects(perform(world, key), {
      code: 'KMSInvalidStateException',
      message: `${arnOf(key.keyId)} ${says[state]}`,
    })
    assert.deepEqual(world.rows, before)
  })
}

function testOrigin(
  name: string,
  origin: KeyOrigin,
  state: KeyState,
  perform: (world: World, key: KeyRecord) => Promise<unknown>,
): void {
  test(`${name} of a key of origin ${origin}, ${state}, is unsupported`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { origin, state })
    await assert.rejects(perform(world, key), {
      code: 'UnsupportedOperationException',
      message: `${arnOf(key.keyId)} origin is ${origin} which is not valid for this operation.`,
    })
    assert.equal(rowOf(world, key.keyId).state, state)
  })
}
