import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grantOperations } from '../../../src/model/grant.ts'
import { createGrant } from '../../../src/operations/kms/create-grant.ts'
import {
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  start,
} from './memory-dependencies.ts'

const root = `arn:aws:iam::${accountId}:root`
const given = { GranteePrincipal: root, Operations: ['Encrypt'] }

test('CreateGrant writes the grant as it was asked for, each operation once', async () => {
  const world = createWorld()
  const { keyId } = await makeKey(world)
  const Constraints = { EncryptionContextSubset: { app: 'a' } }
  const answer = await call(world, 'CreateGrant', {
    KeyId: keyId,
    GranteePrincipal: root,
    RetiringPrincipal: root,
    Operations: ['Encrypt', 'Decrypt', 'Encrypt'],
    Constraints,
    Name: 'a',
  })
  const [grant] = world.rows.grants
  assert.deepEqual(structuredClone(grant), {
    accountId,
    region,
    keyId,
    grantId: answer['GrantId'],
    name: 'a',
    granteePrincipal: root,
    granteeId: accountId,
    retiringPrincipal: root,
    retiringId: accountId,
    issuingAccountId: accountId,
    operations: ['Encrypt', 'Decrypt'],
    constraints: Constraints,
    createdAt: start,
    rowVersion: 1,
  })
  assert.match(String(answer['GrantId']), /^[0-9a-f]{64}$/)
  assert.deepEqual(Object.keys(answer), ['GrantToken', 'GrantId'])
})

const pairs = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
const SourceArn = 'arn:aws:s3:us-west-2:111122223333:bucket'
const service = 's3.amazonaws.com'
const refusals: readonly [what: string, input: object, code: string, message: string][] = [
  [
    'no grantee',
    { GranteePrincipal: undefined },
    'ValidationException',
    'exactly one of `GranteePrincipal` and `GranteeServicePrincipal` is needed',
  ],
  [
    'two grantees',
    { GranteeServicePrincipal: service },
    'ValidationException',
    'exactly one of `GranteePrincipal` and `GranteeServicePrincipal` is needed',
  ],
  [
    'two retiring principals',
    { RetiringPrincipal: root, RetiringServicePrincipal: service },
    'ValidationException',
    'only one of `RetiringPrincipal` and `RetiringServicePrincipal` can be given',
  ],
  [
    'a service without a source',
    { GranteePrincipal: undefined, GranteeServicePrincipal: service, RetiringPrincipal: root },
    'ValidationException',
    '`GranteeServicePrincipal` needs a `SourceArn` in `Constraints`, and a `RetiringPrincipal` or a ' +
      '`RetiringServicePrincipal`',
  ],
  [
    'a service that nobody retires',
    {
      GranteePrincipal: undefined,
      GranteeServicePrincipal: service,
      Constraints: { SourceArn },
    },
    'ValidationException',
    '`GranteeServicePrincipal` needs a `SourceArn` in `Constraints`, and a `RetiringPrincipal` or a ' +
      '`RetiringServicePrincipal`',
  ],
  ['no operation', { Operations: [] }, 'ValidationException', '`Operations` must not be empty'],
  [
    'CreateGrant alone',
    { Operations: ['CreateGrant', 'CreateGrant'] },
    'ValidationException',
    'Grants must not contain only the CreateGrant operation.',
  ],
  [
    'both encryption contexts',
    { Constraints: { EncryptionContextEquals: {}, EncryptionContextSubset: {} } },
    'ValidationException',
    'More than one constraint supplied',
  ],
  [
    'pairs in both encryption contexts',
    { Constraints: { EncryptionContextEquals: pairs(1), EncryptionContextSubset: pairs(1) } },
    'ValidationException',
    'More than one constraint supplied',
  ],
  [
    'nine pairs',
    { Constraints: { EncryptionContextEquals: pairs(9) } },
    'ValidationException',
    'a grant constraint has at most 8 encryption context pairs',
  ],
  [
    'a value of 385 characters',
    { Constraints: { EncryptionContextSubset: { k: 'v'.repeat(385) } } },
    'ValidationException',
    'the encryption context of a grant constraint has keys and values of at most 384 characters',
  ],
  [
    'an account that is not there',
    { GranteePrincipal: 'arn:aws:iam::999999999999:root' },
    'InvalidArnException',
    'ARN does not refer to a valid principal: arn:aws:iam::999999999999:root',
  ],
  [
    'a principal of another partition',
    { GranteePrincipal: `arn:aws-cn:iam::${accountId}:root` },
    'InvalidArnException',
    `ARN does not refer to a valid principal: arn:aws-cn:iam::${accountId}:root`,
  ],
  [
    'a session with its role path',
    { GranteePrincipal: `arn:aws:sts::${accountId}:assumed-role/probe/role/session` },
    'InvalidArnException',
    `ARN is not valid: arn:aws:sts::${accountId}:assumed-role/probe/role/session`,
  ],
  [
    'a group',
    { GranteePrincipal: `arn:aws:iam::${accountId}:group/g` },
    'InvalidArnException',
    `ARN is not valid: arn:aws:iam::${accountId}:group/g`,
  ],
  [
    'the id of a principal that is gone',
    { GranteePrincipal: 'AROAGONE' },
    'InvalidArnException',
    'GranteePrincipal does not refer to a valid principal.',
  ],
  [
    'a retiring principal that is not there',
    { RetiringPrincipal: 'AROAGONE' },
    'InvalidArnException',
    'RetiringPrincipal does not refer to a valid principal.',
  ],
]

for (const [what, input, code, message] of refusals) {
  test(`CreateGrant refuses ${what}`, async () => {
    const world = createWorld()
    const { keyId } = await makeKey(world)
    const outcome = call(world, 'CreateGrant', { ...given, ...input, KeyId: keyId })
    await assert.rejects(outcome, { code, message })
    assert.deepEqual(world.rows.grants, [])
  })
}

test('CreateGrant takes the longest constraint, and a service with a source and who retires it', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const EncryptionContextEquals = { ...pairs(7), ['k'.repeat(384)]: 'v'.repeat(384) }
  await call(world, 'CreateGrant', { ...given, KeyId, Constraints: { EncryptionContextEquals } })
  for (const retiring of [{ RetiringPrincipal: root }, { RetiringServicePrincipal: service }]) {
    await call(world, 'CreateGrant', {
      KeyId,
      Operations: ['Encrypt'],
      GranteeServicePrincipal: service,
      Constraints: { SourceArn },
      ...retiring,
    })
  }
  assert.equal(world.rows.grants.length, 3)
})

const common = ['CreateGrant', 'RetireGrant', 'DescribeKey']
const pair = [...common, 'GetPublicKey']
const encryption = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo']
const kinds: readonly [KeySpec: string, KeyUsage: string, kind: string, valid: string[]][] = [
  [
    'SYMMETRIC_DEFAULT',
    'ENCRYPT_DECRYPT',
    'a symmetric',
    [
      ...common,
      ...encryption,
      'GenerateDataKey',
      'GenerateDataKeyWithoutPlaintext',
      'GenerateDataKeyPair',
      'GenerateDataKeyPairWithoutPlaintext',
    ],
  ],
  ['RSA_2048', 'ENCRYPT_DECRYPT', 'an asymmetric', [...pair, ...encryption]],
  ['RSA_2048', 'SIGN_VERIFY', 'an asymmetric', [...pair, 'Sign', 'Verify']],
  ['HMAC_256', 'GENERATE_VERIFY_MAC', 'a symmetric', [...common, 'GenerateMac', 'VerifyMac']],
  ['ECC_NIST_P256', 'KEY_AGREEMENT', 'an asymmetric', [...pair, 'DeriveSharedSecret']],
  [
    'ML_KEM_768',
    'ENCAPSULATE_DECAPSULATE',
    'an asymmetric',
    [...pair, 'Encapsulate', 'Decapsulate'],
  ],
]

for (const [KeySpec, KeyUsage, kind, valid] of kinds) {
  test(`CreateGrant on a key of ${KeySpec} and ${KeyUsage} gives what such a key can do`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world, { KeySpec, KeyUsage })
    for (const operation of grantOperations) {
      const Operations = [operation, 'DescribeKey']
      const outcome = call(world, 'CreateGrant', { ...given, KeyId, Operations })
      if (valid.includes(operation)) await outcome
      else {
        await assert.rejects(outcome, {
          code: 'ValidationException',
          message:
            `Operations [${operation}] are not supported when creating a grant for ${kind} KMS key ` +
            `with key usage ${KeyUsage}. Valid operations are [${valid.join(', ')}]`,
        })
      }
    }
    const Constraints = { EncryptionContextSubset: { a: 'b' } }
    const Operations = ['DescribeKey']
    const constrained = call(world, 'CreateGrant', { ...given, KeyId, Operations, Constraints })
    if (KeySpec === 'SYMMETRIC_DEFAULT') return void (await constrained)
    return assert.rejects(constrained, {
      code: 'ValidationException',
      message:
        'EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.',
    })
  })
}

test('CreateGrant by the same name and request is the same grant, whose token is new', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const named = { ...given, KeyId, Name: 'n' }
  const first = await call(world, 'CreateGrant', named)
  const second = await call(world, 'CreateGrant', named)
  assert.equal(second['GrantId'], first['GrantId'])
  assert.notEqual(second['GrantToken'], first['GrantToken'])
  // A new principal with the same name is another principal.
  world.principals.set(root, 'another')
  const third = await call(world, 'CreateGrant', named)
  assert.notEqual(third['GrantId'], first['GrantId'])
  assert.equal(world.rows.grants.length, 2)
})

test('CreateGrant is refused with the grant that would be one too many', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await call(world, 'CreateGrant', { ...given, KeyId, Name: 'kept' })
  const [grant] = world.rows.grants
  assert(grant)
  const { grantsPerKey } = world.dependencies.quotas.resources
  for (let count = 1; count < grantsPerKey - 1; count += 1) {
    world.rows.grants.push({ ...grant, grantId: String(count), name: `n${count}` })
  }
  await call(world, 'CreateGrant', { ...given, KeyId })
  await assert.rejects(call(world, 'CreateGrant', { ...given, KeyId }), {
    code: 'LimitExceededException',
    message: 'Grants per key quota is 50000, current usage is 50000.',
  })
  // An equal grant that exists does not count again.
  await call(world, 'CreateGrant', { ...given, KeyId, Name: 'kept' })
})

test('CreateGrant on a key that changed meanwhile decides again', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  world.beforeCommit = () => void alter(world, key, { rowVersion: 7 })
  await assert.rejects(call(world, 'CreateGrant', { ...given, KeyId: key.keyId }), /stale/)
  assert.deepEqual(world.rows.grants, [])
})

test('what CreateGrant sets as condition keys is what was asked for', () => {
  const Operations = ['Encrypt' as const]
  const entries = createGrant.context?.(
    {
      KeyId: 'k',
      Operations,
      GranteePrincipal: root,
      RetiringServicePrincipal: service,
      Constraints: { EncryptionContextEquals: { a: 'b' }, SourceArn },
    },
    'key',
    {},
  )
  assert.deepEqual(entries, {
    'kms:EncryptionContext:a': 'b',
    'kms:EncryptionContextKeys': ['a'],
    'kms:GrantConstraintType': ['EncryptionContextEquals', 'SourceArn'],
    'kms:GrantConstraintSourceArn': SourceArn,
    'kms:GrantOperations': ['Encrypt'],
    'kms:GranteePrincipal': root,
    'kms:GranteeServicePrincipal': undefined,
    'kms:RetiringPrincipal': undefined,
    'kms:RetiringServicePrincipal': service,
    'kms:GrantIsForAWSResource': 'false',
  })
})
