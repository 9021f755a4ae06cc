import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
  UpdateKeyDescriptionCommand,
  type CreateKeyCommandInput,
  type KeyMetadata,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { answerOf, fails, makeKey, refused, validationError } from './sdk.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const dayMs = 86_400_000

async function setClock(set: string): Promise<void> {
  const answer = await fetch(`${server.url}/_trent/test/clock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ set }),
  })
  assert.equal(answer.status, 200)
}

async function describe(KeyId: string): Promise<KeyMetadata> {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert(KeyMetadata)
  return KeyMetadata
}

test('CreateKey answers every member that AWS sends of a symmetric key, and no other', async () => {
  const { KeyMetadata, ...rest } = await answerOf(kms.send(new CreateKeyCommand({})))
  assert.deepEqual(rest, {})
  const { KeyId, CreationDate, CurrentKeyMaterialId, ...members } = KeyMetadata as KeyMetadata
  assert.match(KeyId ?? '', uuid)
  assert.match(CurrentKeyMaterialId ?? '', /^[0-9a-f]{64}$/)
  assert(CreationDate instanceof Date)
  assert.deepEqual(members, {
    AWSAccountId: accountId,
    Arn: `arn:aws:kms:${region}:${accountId}:key/${KeyId}`,
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
  })
  const described = await answerOf(kms.send(new DescribeKeyCommand({ KeyId })))
  assert.deepEqual(described, { KeyMetadata })
})

test('CreateKey takes every member that says the same in words', async () => {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({
      Description: 'for the accounts, “quoted” and café',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyUsage: 'ENCRYPT_DECRYPT',
      Origin: 'AWS_KMS',
      MultiRegion: false,
      BypassPolicyLockoutSafetyCheck: false,
      Tags: [{ TagKey: 'team', TagValue: 'red' }],
    }),
  )
  assert.equal(KeyMetadata?.Description, 'for the accounts, “quoted” and café')
  const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: KeyMetadata?.KeyId }))
  assert.deepEqual(Tags, [{ TagKey: 'team', TagValue: 'red' }])
  await makeKey(kms, { CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' })
})

test('CreateKey refuses in the words of AWS what makes no key, and makes none', async () => {
  const before = await kms.send(new ListKeysCommand({ Limit: 1000 }))
  const cases: readonly (readonly [CreateKeyCommandInput, string, string?])[] = [
    [
      { KeySpec: 'SYMMETRIC_DEFAULT', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' },
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. ' +
        'CustomerMasterKeySpec is deprecated.',
    ],
    [
      { KeySpec: 'RSA_2048' },
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    ],
    [
      { KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' },
      'ValidationException',
      'KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256',
    ],
    [
      { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
      'UnsupportedOperationException',
      'KeySpec SM2 is not supported in this Region',
    ],
    [
      { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1234567890abcdef0' },
      'CustomKeyStoreNotFoundException',
      'Custom key store cks-1234567890abcdef0 does not exist.',
    ],
    [{ Tags: duplicateTags }, 'TagException', 'Duplicate tag keys'],
    [
      { Description: 'x'.repeat(8193) },
      'ValidationException',
      validationError(
        fails(`'${'x'.repeat(8193)}'`, 'description', 'have length less than or equal to 8192'),
      ),
    ],
    [
      { KeySpec: 'AES_256' as 'RSA_2048' },
      'ValidationException',
      validationError(
        fails(
          "'AES_256'",
          'keySpec',
          'satisfy enum value set: [RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ' +
            'ECC_NIST_P521, ECC_SECG_P256K1, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, ' +
            'HMAC_512, SM2, ECC_NIST_EDWARDS25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, ML_KEM_512, ' +
            'ML_KEM_768, ML_KEM_1024]',
        ),
      ),
    ],
  ]
  for (const [input, code, message] of cases) {
    await refused(kms.send(new CreateKeyCommand(input)), code, message)
  }
  const now = await kms.send(new ListKeysCommand({ Limit: 1000 }))
  assert.deepEqual(now.Keys, before.Keys)
})

const duplicateTags = [
  { TagKey: 'a', TagValue: '1' },
  { TagKey: 'a', TagValue: '2' },
]

test('ListKeys answers id and ARN of each key, keys pending deletion among them', async () => {
  const [kept, dying] = [await makeKey(kms), await makeKey(kms)]
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying.keyId }))
  const { Keys, ...rest } = await answerOf(kms.send(new ListKeysCommand({ Limit: 1000 })))
  assert.deepEqual(rest, { Truncated: false })
  for (const { keyId, arn } of [kept, dying]) {
    assert.deepEqual(
      (Keys as readonly { KeyId: string }[]).filter((key) => key.KeyId === keyId),
      [{ KeyId: keyId, KeyArn: arn }],
    )
  }
})

test('DisableKey and EnableKey switch a key, and say so again without complaint', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  for (const _ of ['once', 'twice']) {
    assert.deepEqual(await answerOf(kms.send(new DisableKeyCommand({ KeyId }))), {})
  }
  const disabled = await describe(KeyId)
  assert.deepEqual([disabled.Enabled, disabled.KeyState], [false, 'Disabled'])
  for (const _ of ['once', 'twice']) {
    assert.deepEqual(await answerOf(kms.send(new EnableKeyCommand({ KeyId }))), {})
  }
  const enabled = await describe(KeyId)
  assert.deepEqual([enabled.Enabled, enabled.KeyState], [true, 'Enabled'])
})

test('UpdateKeyDescription writes a description, an empty one as well, and needs one', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  for (const Description of ['another', '', 'x'.repeat(8192)]) {
    const answer = await answerOf(kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description })))
    assert.deepEqual(answer, {})
    assert.equal((await describe(KeyId)).Description, Description)
  }
  await refused(
    kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: undefined })),
    'ValidationException',
    validationError(fails('null', 'description', 'not be null')),
  )
  assert.equal((await describe(KeyId)).Description, 'x'.repeat(8192))
})

test('ScheduleKeyDeletion fixes the date, and CancelKeyDeletion leaves the key disabled', async () => {
  await setClock('2031-05-06T07:08:09Z')
  const { keyId: KeyId, arn } = await makeKey(kms)
  for (const [given, days] of [
    [{}, 30],
    [{ PendingWindowInDays: 7 }, 7],
  ] as const) {
    const scheduled = await answerOf(kms.send(new ScheduleKeyDeletionCommand({ KeyId, ...given })))
    const { DeletionDate, ...members } = scheduled
    assert.deepEqual(members, {
      KeyId: arn,
      KeyState: 'PendingDeletion',
      PendingWindowInDays: days,
    })
    const wanted = Date.parse('2031-05-06T07:08:09Z') + days * dayMs
    const late = (DeletionDate as Date).getTime() - wanted
    assert(late >= 0 && late < dayMs / 24, `the date is ${late} ms after the one that was wanted`)
    const dying = await describe(KeyId)
    assert.deepEqual(
      [dying.Enabled, dying.KeyState, dying.DeletionDate, dying.PendingDeletionWindowInDays],
      [false, 'PendingDeletion', DeletionDate, undefined],
    )
    assert.deepEqual(await answerOf(kms.send(new CancelKeyDeletionCommand({ KeyId }))), {
      KeyId: arn,
    })
    const saved = await describe(KeyId)
    assert.deepEqual([saved.Enabled, saved.KeyState], [false, 'Disabled'])
    assert(!('DeletionDate' in saved))
  }
})

test('ScheduleKeyDeletion takes 7 to 30 days', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  for (const [PendingWindowInDays, bound] of [
    [6, 'greater than or equal to 7'],
    [31, 'less than or equal to 30'],
  ] as const) {
    await refused(
      kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays })),
      'ValidationException',
      validationError(
        fails(`'${PendingWindowInDays}'`, 'pendingWindowInDays', `have value ${bound}`),
      ),
    )
  }
  assert.equal((await describe(KeyId)).KeyState, 'Enabled')
})

test('a key made while the clock stands elsewhere carries that time, to the millisecond', async () => {
  await setClock('2029-12-31T23:00:00.250Z')
  const { keyId } = await makeKey(kms)
  const at = (await describe(keyId)).CreationDate?.getTime() ?? 0
  const late = at - Date.parse('2029-12-31T23:00:00.250Z')
  assert(late >= 0 && late < 3_600_000, `made ${late} ms after the clock was set`)
})
