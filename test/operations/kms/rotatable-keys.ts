/** Keys that can and cannot be rotated, for the tests of rotation operations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRecord, KeyState } from '../../../src/model/key.ts'
import {
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  rowOf,
} from './memory-dependencies.ts'

export const dayMs = 86_400_000

export function arnOf(keyId: string): string {
  return `arn:aws:kms:${region}:${accountId}:key/${keyId}`
}

type Refusal = readonly [what: string, members: Partial<KeyRecord>, code: string, says: string]

const invalid = 'KMSInvalidStateException'
const unsupported = 'UnsupportedOperationException'

/** Keys pending deletion, and the error of these operations. */
const dying: readonly Refusal[] = [
  ['disabled', { state: 'Disabled' }, 'DisabledException', 'is disabled.'],
  ['pending deletion', { state: 'PendingDeletion' }, invalid, 'is pending deletion.'],
  [
    'pending replica deletion',
    { state: 'PendingReplicaDeletion' },
    invalid,
    'is pending replica deletion.',
  ],
  ['creating', { state: 'Creating' }, invalid, 'is creating.'],
]

const originSays = (origin: string): string =>
  `origin is ${origin} which is not valid for this operation.`

const custom = (origin: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE', state: KeyState): Refusal => [
  `of origin ${origin}, ${state}`,
  { origin, state },
  unsupported,
  originSays(origin),
]

const managed: Refusal = [
  'managed by AWS',
  { manager: 'AWS' },
  unsupported,
  'is managed by AWS, which rotates it',
]

/** Checks that EnableKeyRotation and DisableKeyRotation share. */
export const settingRefusals: readonly Refusal[] = [
  ...dying,
  ...(['Enabled', 'PendingImport'] as const).map((state): Refusal => [
    `imported, ${state}`,
    { origin: 'EXTERNAL', state },
    unsupported,
    originSays('EXTERNAL'),
  ]),
  [
    'of HMAC, imported',
    { origin: 'EXTERNAL', spec: 'HMAC_256' },
    unsupported,
    originSays('EXTERNAL'),
  ],
  custom('AWS_CLOUDHSM', 'Enabled'),
  custom('EXTERNAL_KEY_STORE', 'Unavailable'),
  // Trent never sets these states; a key in one is still not rotated.
  ['pending import', { state: 'PendingImport' }, invalid, 'is pending import.'],
  ['unavailable', { state: 'Unavailable' }, invalid, 'is unavailable.'],
  managed,
]

export const onDemandRefusals: readonly Refusal[] = [
  ...dying,
  ['pending import', { origin: 'EXTERNAL', state: 'PendingImport' }, invalid, 'is pending import.'],
  ['unavailable', { origin: 'AWS_CLOUDHSM', state: 'Unavailable' }, invalid, 'is unavailable.'],
  custom('AWS_CLOUDHSM', 'Enabled'),
  managed,
]

/** Adds a test for each: AWS's error, and no change. */
export function testRefusals(name: string, refusals: readonly Refusal[]): void {
  const replica: Refusal = [
    'a replica',
    { primaryRegion: 'eu-north-1' },
    unsupported,
    `is a multi-region replica key which is not valid for ${name}.`,
  ]
  for (const [what, members, code, says] of [...refusals, replica]) {
    test(`${name} of a key that is ${what} is refused`, async () => {
      const world = createWorld()
      const { keyId: KeyId } = alter(world, await makeKey(world), members)
      const before = structuredClone(world.rows)
      await assert.rejects(call(world, name, { KeyId }), {
        code,
        message: `${arnOf(KeyId)} ${says}`,
      })
      assert.deepEqual(world.rows, before)
    })
  }

  test(`${name} takes no alias`, async () => {
    await assert.rejects(call(createWorld(), name, { KeyId: 'alias/a' }), {
      code: 'InvalidArnException',
      message: 'Key Aliases are not supported for this operation.',
    })
  })
}

/** Adds a test for each kind of key that cannot be rotated. */
export function testUnsupportedSpecs(name: string): void {
  for (const [spec, usage] of [
    ['HMAC_256', 'GENERATE_VERIFY_MAC'],
    ['RSA_2048', 'ENCRYPT_DECRYPT'],
    ['ML_KEM_768', 'ENCAPSULATE_DECAPSULATE'],
  ] as const) {
    test(`${name} of a key of ${spec} is refused without a message`, async () => {
      const world = createWorld()
      const { keyId: KeyId } = alter(world, await makeKey(world), { spec, usage })
      await assert.rejects(call(world, name, { KeyId }), { code: unsupported, message: '' })
      assert.equal(rowOf(world, KeyId).nextRotationAt, undefined)
    })
  }
}
