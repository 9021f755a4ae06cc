/** Checks the column PendingImport of AWS's key-state table for every operation that names a key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kmsRegistry } from '../../../src/operations/kms/registry.ts'
import { arnOf } from './rotatable-keys.ts'
import { makeImported } from './imported-keys.ts'
import { call, createWorld } from './memory-dependencies.ts'

/** `run` refuses some operations for another reason: CancelKeyDeletion and the rotation settings. */
const goOn = [
  'CancelKeyDeletion',
  'CreateAlias',
  'DeleteAlias',
  'DeleteImportedKeyMaterial',
  'DescribeKey',
  'DisableKeyRotation',
  'EnableKeyRotation',
  'GetKeyLastUsage',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'GetParametersForImport',
  'ImportKeyMaterial',
  'ListGrants',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
  'PutKeyPolicy',
  'RetireGrant',
  'RevokeGrant',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateKeyDescription',
]

test('a key without its material is used by nothing, and managed as the table says', () => {
  const found = [...kmsRegistry.values()]
    .filter(({ service, keys }) => service === 'kms' && Object.keys(keys).length > 0)
    .filter(({ keys }) =>
      Object.values(keys).every(({ states }) => states.includes('PendingImport')),
    )
    .map(({ name }) => name)
  assert.deepEqual(found.toSorted(), goOn)
})

for (const [name, input] of [
  ['EnableKey', {}],
  ['DisableKey', {}],
  ['RotateKeyOnDemand', {}],
  ['Encrypt', { Plaintext: 'eA==' }],
  ['GenerateDataKey', { KeySpec: 'AES_256' }],
  ['GenerateDataKeyPair', { KeyPairSpec: 'ECC_NIST_P256' }],
  ['CreateGrant', { GranteePrincipal: 'arn:aws:iam::111122223333:root', Operations: ['Encrypt'] }],
] as const) {
  test(`${name} of a key that is pending import is refused`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeImported(world)
    await assert.rejects(call(world, name, { KeyId, ...input }), {
      code: 'KMSInvalidStateException',
      message: `${arnOf(KeyId)} is pending import.`,
    })
  })
}

for (const [spec, name, input] of [
  ['RSA_2048', 'Sign', { Message: 'eA==', SigningAlgorithm: 'RSASSA_PSS_SHA_256' }],
  ['RSA_2048', 'GetPublicKey', {}],
  ['HMAC_224', 'GenerateMac', { Message: 'eA==', MacAlgorithm: 'HMAC_SHA_224' }],
  ['ECC_NIST_P256', 'DeriveSharedSecret', { PublicKey: 'eA==', KeyAgreementAlgorithm: 'ECDH' }],
] as const) {
  test(`${name} of a key of ${spec} that is pending import is refused`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeImported(world, spec)
    await assert.rejects(call(world, name, { KeyId, ...input }), {
      code: 'KMSInvalidStateException',
      message: `${arnOf(KeyId)} is pending import.`,
    })
  })
}
