import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyMetadata } from '@aws-sdk/client-kms'
import type { KeyRecord, KeyState } from '../../../src/model/key.ts'
import { anyState } from '../../../src/model/key-state.ts'
import {
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  start,
} from './memory-dependencies.ts'

test('DescribeKey answers for a key id, an ARN and an alias', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const arn = `arn:aws:kms:${region}:${accountId}:key/${key.keyId}`
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: arn })
  for (const KeyId of [key.keyId, arn, 'alias/a']) {
    const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId })
    assert.equal((KeyMetadata as KeyMetadata).Arn, arn)
  }
})

test('DescribeKey answers in every state, and calls only an Enabled key enabled', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  for (const state of anyState) {
    alter(world, key, { state })
    const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId: key.keyId })
    const { KeyState, Enabled } = KeyMetadata as KeyMetadata
    assert.deepEqual([KeyState, Enabled], [state, state === 'Enabled'])
  }
})

test('DescribeKey gives the date of a deletion, or the window of one that has not begun', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const pending = { deletionDate: 1_800_000_000_000, pendingWindowDays: 8 }
  const described = async (state: KeyState): Promise<KeyMetadata> => {
    alter(world, key, { ...pending, state })
    const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId: key.keyId })
    return KeyMetadata as KeyMetadata
  }
  const dying = await described('PendingDeletion')
  assert.deepEqual(dying.DeletionDate, new Date(pending.deletionDate))
  assert(!Object.hasOwn(dying, 'PendingDeletionWindowInDays'))
  const waiting = await described('PendingReplicaDeletion')
  assert.equal(waiting.PendingDeletionWindowInDays, 8)
  assert(!Object.hasOwn(waiting, 'DeletionDate'))
})

test('DescribeKey says whether imported material expires, and when, while all of it is there', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const expires = {
    materialExpirationModel: 'KEY_MATERIAL_EXPIRES',
    materialExpiresAt: start,
  } as const
  for (const [members, model, at] of [
    [{}, undefined, undefined],
    [expires, 'KEY_MATERIAL_EXPIRES', new Date(start)],
    [
      { materialExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', materialExpiresAt: undefined },
      'KEY_MATERIAL_DOES_NOT_EXPIRE',
      undefined,
    ],
  ] as const) {
    alter(world, key, members as Partial<KeyRecord>)
    const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId: key.keyId })
    const { ExpirationModel, ValidTo } = KeyMetadata as KeyMetadata
    assert.deepEqual([ExpirationModel, ValidTo], [model, at])
    assert.equal(Object.hasOwn(KeyMetadata as object, 'ValidTo'), at !== undefined)
  }
})

const algorithmsOf: readonly [Partial<KeyRecord>, keyof KeyMetadata, readonly string[]][] = [
  [
    { spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT' },
    'EncryptionAlgorithms',
    ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  ],
  [
    { spec: 'ECC_NIST_EDWARDS25519', usage: 'SIGN_VERIFY' },
    'SigningAlgorithms',
    ['ED25519_PH_SHA_512', 'ED25519_SHA_512'],
  ],
  [{ spec: 'ECC_NIST_P384', usage: 'KEY_AGREEMENT' }, 'KeyAgreementAlgorithms', ['ECDH']],
  [{ spec: 'HMAC_512', usage: 'GENERATE_VERIFY_MAC' }, 'MacAlgorithms', ['HMAC_SHA_512']],
  [{ spec: 'ML_KEM_768', usage: 'ENCAPSULATE_DECAPSULATE' }, 'EncapsulationAlgorithms', ['ML_KEM']],
]

for (const [changes, member, algorithms] of algorithmsOf) {
  test(`DescribeKey lists the algorithms of ${changes.spec} for ${changes.usage}, and no others`, async () => {
    const world = createWorld()
    const key = alter(world, await makeKey(world), changes)
    const { KeyMetadata } = await call(world, 'DescribeKey', { KeyId: key.keyId })
    const metadata = KeyMetadata as KeyMetadata
    const lists = Object.keys(metadata).filter((name) => name.endsWith('Algorithms'))
    assert.deepEqual(lists, [member])
    assert.deepEqual(metadata[member], algorithms)
    // Only symmetric encryption keys show the current material.
    assert(!Object.hasOwn(metadata, 'CurrentKeyMaterialId'))
  })
}

test('DescribeKey of a key that is not there is a NotFoundException', async () => {
  const KeyId = '00000000-0000-4000-8000-00000000ffff'
  await assert.rejects(call(createWorld(), 'DescribeKey', { KeyId }), { code: 'NotFoundException' })
})
