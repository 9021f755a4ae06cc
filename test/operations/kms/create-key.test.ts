import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyMetadata } from '@aws-sdk/client-kms'
import { algorithmNames, keySpecs } from '../../../src/crypto/key-specs.ts'
import { KmsError } from '../../../src/errors.ts'
import type { KeySpec, KeyUsage } from '../../../src/model/key.ts'
import { createKey } from '../../../src/operations/kms/create-key.ts'
import {
  accountId,
  call,
  createWorld,
  makeKey,
  partition,
  readGiven,
  region,
  start,
} from './memory-dependencies.ts'

const defaults = {
  AWSAccountId: accountId,
  KeyId: '00000000-0000-4000-8000-000000000001',
  Arn: `arn:aws:kms:${region}:${accountId}:key/00000000-0000-4000-8000-000000000001`,
  CreationDate: new Date(start),
  Enabled: true,
  Description: '',
  KeyUsage: 'ENCRYPT_DECRYPT',
  KeyState: 'Enabled',
  Origin: 'AWS_KMS',
  KeyManager: 'CUSTOMER',
  CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
  KeySpec: 'SYMMETRIC_DEFAULT',
  EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
  MultiRegion: false,
}

test('CreateKey without parameters makes a symmetric encryption key with the default policy', async () => {
  const world = createWorld()
  const { KeyMetadata } = await call(world, 'CreateKey')
  const [key] = world.rows.keys
  assert(key)
  assert.deepEqual(KeyMetadata, { ...defaults, CurrentKeyMaterialId: key.currentMaterialId })
  assert.equal(key.policy, world.dependencies.policies.defaultFor(partition, accountId))
  assert.deepEqual(key.policyPrincipals, { [`arn:aws:iam::${accountId}:root`]: accountId })
  assert.deepEqual(
    world.rows.materials.map(({ materialId, keyId, createdAt }) => [materialId, keyId, createdAt]),
    [[key.currentMaterialId, key.keyId, start]],
  )
  assert.deepEqual(
    world.rows.materialStates.map(({ materialId, ordinal, state }) => [materialId, ordinal, state]),
    [[key.currentMaterialId, 1, 'CURRENT']],
  )
  assert.equal(world.commits, 1)
})

test('CreateKey keeps the description, the tags in order, and the policy as it was written', async () => {
  const world = createWorld()
  const Tags = [
    { TagKey: 'b', TagValue: '' },
    { TagKey: 'a', TagValue: '1' },
  ]
  const key = await makeKey(world, { Description: 'for the tests', Tags, Policy: '{ "a" : 1 }' })
  assert.equal(key.description, 'for the tests')
  assert.deepEqual(key.tags, Tags)
  assert.equal(key.policy, '{ "a" : 1 }')
})

test('CreateKey takes the deprecated name of KeySpec, and both values that it would take anyway', async () => {
  const world = createWorld()
  const key = await makeKey(world, {
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    Origin: 'AWS_KMS',
    MultiRegion: false,
  })
  assert.equal(key.spec, 'SYMMETRIC_DEFAULT')
})

test('CreateKey stores nothing when its policy is refused', async () => {
  const world = createWorld()
  world.checkPolicy = async () => {
    throw new KmsError('MalformedPolicyDocumentException', 'no')
  }
  await assert.rejects(call(world, 'CreateKey', { Policy: '{}' }), {
    code: 'MalformedPolicyDocumentException',
  })
  assert.deepEqual(world.rows, {
    keys: [],
    keyStores: [],
    hsmObjects: [],
    aliases: [],
    materials: [],
    materialStates: [],
    grants: [],
  })
})

test('CreateKey checks a policy that was given for lockout, unless it is told not to', async () => {
  const world = createWorld()
  const bypassed: boolean[] = []
  const policies = {
    shown: async () => 'shown',
    defaultFor: () => 'default',
    check: async (_policy: string, _key: unknown, _caller: unknown, bypass: boolean) => {
      bypassed.push(bypass)
      return {}
    },
  }
  const watched = { ...world, dependencies: { ...world.dependencies, policies } }
  await call(watched, 'CreateKey', { Policy: '{}' })
  await call(watched, 'CreateKey', { Policy: '{}', BypassPolicyLockoutSafetyCheck: true })
  await call(watched, 'CreateKey')
  assert.deepEqual(bypassed, [false, true, true])
})

const usageText =
  'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.'
const refusals: readonly [name: string, given: object, code: string, message: string][] = [
  [
    'both names of the spec',
    { KeySpec: 'RSA_2048', CustomerMasterKeySpec: 'RSA_2048' },
    'ValidationException',
    'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
  ],
  ['an RSA key without usage', { KeySpec: 'RSA_2048' }, 'ValidationException', usageText],
  ['an HMAC key without usage', { KeySpec: 'HMAC_256' }, 'ValidationException', usageText],
  [
    'a curve that is to encrypt',
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' },
    'ValidationException',
    'KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256',
  ],
  [
    'an RSA key that is to agree',
    { KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' },
    'ValidationException',
    'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
  ],
  [
    'a symmetric key that is to sign',
    { KeyUsage: 'SIGN_VERIFY' },
    'ValidationException',
    'KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT',
  ],
  [
    'a spec of China Regions',
    { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
    'UnsupportedOperationException',
    'KeySpec SM2 is not supported in this Region',
  ],
  [
    'ML-DSA material from outside',
    { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' },
    'ValidationException',
    'KeySpec ML_DSA_44 is not supported for Origin EXTERNAL',
  ],
  [
    'a CloudHSM key without its store',
    { Origin: 'AWS_CLOUDHSM' },
    'ValidationException',
    'You must specify a CustomKeyStoreId value when the Origin is AWS_CLOUDHSM.',
  ],
  [
    'an external key without its id',
    { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: 'cks-1' },
    'ValidationException',
    'You must specify an XksKeyId value when the Origin is EXTERNAL_KEY_STORE.',
  ],
  [
    'a custom key store for a key of KMS',
    { CustomKeyStoreId: 'cks-1' },
    'ValidationException',
    'You cannot specify a CustomKeyStoreId value when the Origin is AWS_KMS.',
  ],
  [
    'a multi-Region key in a custom key store',
    { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1', MultiRegion: true },
    'ValidationException',
    'MultiRegion is not compatible with Origin AWS_CLOUDHSM',
  ],
  [
    'a key in an unknown custom key store',
    { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1' },
    'CustomKeyStoreNotFoundException',
    'Custom key store cks-1 does not exist.',
  ],
  [
    'the same tag twice',
    {
      Tags: [
        { TagKey: 'a', TagValue: '1' },
        { TagKey: 'a', TagValue: '2' },
      ],
    },
    'TagException',
    'Duplicate tag keys',
  ],
  [
    'a reserved tag',
    { Tags: [{ TagKey: 'AWS:a', TagValue: '1' }] },
    'TagException',
    'Tags beginning with aws: are reserved',
  ],
  [
    '51 tags',
    { Tags: Array.from({ length: 51 }, (_, index) => ({ TagKey: `${index}`, TagValue: '' })) },
    'TagException',
    'Too many tags',
  ],
]

for (const [name, given, code, message] of refusals) {
  test(`CreateKey refuses ${name}`, async () => {
    const world = createWorld()
    await assert.rejects(call(world, 'CreateKey', { ...given }), { code, message })
    assert.deepEqual(world.rows.keys, [])
  })
}

test('every combination of spec and usage that AWS has is known, and no other', () => {
  const all: readonly KeyUsage[] = [
    'ENCRYPT_DECRYPT',
    'SIGN_VERIFY',
    'GENERATE_VERIFY_MAC',
    'KEY_AGREEMENT',
    'ENCAPSULATE_DECAPSULATE',
  ]
  const usages = (Object.keys(keySpecs) as KeySpec[]).map((spec) => [
    spec,
    all.filter((usage) => algorithmNames(spec, usage).length > 0).join(),
  ])
  const expected: Record<string, string> = {
    SYMMETRIC_DEFAULT: 'ENCRYPT_DECRYPT',
    ...Object.fromEntries(
      ['RSA_2048', 'RSA_3072', 'RSA_4096'].map((spec) => [spec, 'ENCRYPT_DECRYPT,SIGN_VERIFY']),
    ),
    ...Object.fromEntries(
      ['P256', 'P384', 'P521'].map((curve) => [`ECC_NIST_${curve}`, 'SIGN_VERIFY,KEY_AGREEMENT']),
    ),
    ECC_SECG_P256K1: 'SIGN_VERIFY',
    ECC_NIST_EDWARDS25519: 'SIGN_VERIFY',
    ...Object.fromEntries(['44', '65', '87'].map((set) => [`ML_DSA_${set}`, 'SIGN_VERIFY'])),
    ...Object.fromEntries(
      ['512', '768', '1024'].map((set) => [`ML_KEM_${set}`, 'ENCAPSULATE_DECAPSULATE']),
    ),
    ...Object.fromEntries(
      ['224', '256', '384', '512'].map((bits) => [`HMAC_${bits}`, 'GENERATE_VERIFY_MAC']),
    ),
  }
  assert.deepEqual(Object.fromEntries(usages), expected)
})

test('CreateKey with tags asks for kms:TagResource as well', () => {
  const without = createKey.permissions?.({})
  const empty = createKey.permissions?.({ Tags: [] })
  const tagged = createKey.permissions?.({ Tags: [{ TagKey: 'a', TagValue: '' }] })
  assert.deepEqual(without, [{ action: 'kms:CreateKey' }])
  assert.deepEqual(empty, without)
  assert.deepEqual(tagged, [
    { action: 'kms:CreateKey' },
    { action: 'kms:TagResource', kmsResource: 'key/*', unnamedResource: true },
  ])
})

test('CreateKey shows policies what it makes', () => {
  const input = { Tags: [{ TagKey: 'team', TagValue: 'red' }] }
  assert.deepEqual(createKey.context?.(input, undefined, {}), {
    'kms:KeySpec': 'SYMMETRIC_DEFAULT',
    'kms:KeyUsage': 'ENCRYPT_DECRYPT',
    'kms:CustomerMasterKeySpec': 'SYMMETRIC_DEFAULT',
    'kms:CustomerMasterKeyUsage': 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:MultiRegion': 'false',
    'kms:MultiRegionKeyType': undefined,
    'kms:BypassPolicyLockoutSafetyCheck': 'false',
    'aws:RequestTag/team': 'red',
    'aws:TagKeys': ['team'],
  })
})

test('the audit record of CreateKey has the metadata with the casing and dates of AWS', async () => {
  const { KeyMetadata } = await call(createWorld(), 'CreateKey')
  const response = createKey.auditResponse?.({ KeyMetadata: KeyMetadata as KeyMetadata }, {})
  const keyMetadata = response?.['keyMetadata'] as Record<string, unknown> // as auditResponse says
  assert.equal(keyMetadata['aWSAccountId'], accountId)
  assert.equal(keyMetadata['creationDate'], '2026-01-02T15:04:05Z')
  assert.deepEqual(keyMetadata['encryptionAlgorithms'], ['SYMMETRIC_DEFAULT'])
})

test('CreateKey refuses a policy with characters that none may have', () => {
  assert.throws(() => readGiven(createKey, { Policy: 'π' }), { name: 'Error' })
})

test('CreateKey of a key for imported material makes none, and the key is pending import', async () => {
  const world = createWorld()
  const { KeyMetadata } = await call(world, 'CreateKey', { Origin: 'EXTERNAL' })
  const shown = KeyMetadata as Readonly<Record<string, unknown>>
  const { KeyState, Enabled, Origin } = shown
  assert.deepEqual([KeyState, Enabled, Origin], ['PendingImport', false, 'EXTERNAL'])
  for (const name of ['CurrentKeyMaterialId', 'ExpirationModel', 'ValidTo']) {
    assert(!(name in shown), name)
  }
  const { keys, materials, materialStates } = world.rows
  assert.deepEqual([keys.length, materials, materialStates], [1, [], []])
})
