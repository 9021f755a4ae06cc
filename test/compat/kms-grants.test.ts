/** Grants over the wire: what they give, to whom, and their tokens. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ListGrantsCommand,
  ReEncryptCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { startWithTwoAccounts } from './accounts.ts'
import { hidden, makeGrant, ownerArn } from './grants.ts'
import { makeKey, refused } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const owner = server.client()
const guest = server.otherClient()
const Plaintext = Buffer.from('secret of the owner')

test('a grant gives another account its operations at once, and nothing else', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const encrypt = (): Promise<unknown> => guest.send(new EncryptCommand({ KeyId, Plaintext }))
  await refused(encrypt(), 'AccessDeniedException', hidden('Encrypt'))
  const { GrantId } = await makeGrant(owner, { KeyId })
  const { CiphertextBlob } = await guest.send(new EncryptCommand({ KeyId, Plaintext }))
  const opened = await guest.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  await guest.send(new DescribeKeyCommand({ KeyId }))
  const dataKey = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })
  await refused(guest.send(dataKey), 'AccessDeniedException', hidden('GenerateDataKey'))
  await owner.send(new RevokeGrantCommand({ KeyId, GrantId }))
  await refused(encrypt(), 'AccessDeniedException', hidden('Encrypt'))
  await refused(
    guest.send(new DecryptCommand({ CiphertextBlob })),
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
      'region, or you are not allowed to access.',
  )
})

test('a grant is of one key, and ReEncrypt needs one of each side', async () => {
  const [one, other] = [await makeKey(owner), await makeKey(owner)]
  await makeGrant(owner, { KeyId: one.keyId, Operations: ['Encrypt', 'ReEncryptFrom'] })
  const command = new EncryptCommand({ KeyId: other.arn, Plaintext })
  await refused(guest.send(command), 'AccessDeniedException', hidden('Encrypt'))
  const { CiphertextBlob } = await guest.send(new EncryptCommand({ KeyId: one.arn, Plaintext }))
  const move = (): Promise<unknown> =>
    guest.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: other.arn }))
  await refused(move(), 'AccessDeniedException', hidden('ReEncryptTo'))
  await makeGrant(owner, { KeyId: other.keyId, Operations: ['ReEncryptTo'] })
  await move()
})

test('a constraint on the encryption context is that of the call, equal or a part of it', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const Operations = ['Encrypt', 'DescribeKey'] as const
  const pairs = { Department: 'Finance', CustomerID: '7' }
  const encrypt = (EncryptionContext?: Record<string, string>): Promise<unknown> =>
    guest.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
  const deny = (context?: Record<string, string>): Promise<void> =>
    refused(encrypt(context), 'AccessDeniedException', hidden('Encrypt'))
  const equals = await makeGrant(owner, {
    KeyId,
    Operations: [...Operations],
    Constraints: { EncryptionContextEquals: pairs },
  })
  await encrypt(pairs)
  await encrypt({ CustomerID: '7', Department: 'Finance' })
  for (const context of [
    undefined,
    { Department: 'Finance' },
    { ...pairs, more: 'x' },
    { ...pairs, CustomerID: '8' },
    { department: 'Finance', CustomerID: '7' },
    { Department: 'finance', CustomerID: '7' },
  ]) {
    await deny(context)
  }
  // A constraint does not bind what has no encryption context.
  await guest.send(new DescribeKeyCommand({ KeyId }))
  await owner.send(new RevokeGrantCommand({ KeyId, GrantId: equals.GrantId }))
  await makeGrant(owner, {
    KeyId,
    Operations: [...Operations],
    Constraints: { EncryptionContextSubset: pairs },
  })
  await encrypt(pairs)
  await encrypt({ ...pairs, more: 'x' })
  for (const context of [undefined, { Department: 'Finance' }, { ...pairs, CustomerID: '8' }]) {
    await deny(context)
  }
})

test("the guide's example: a Subset of Department and Classification, with a CustomerID beside it", async () => {
  const { arn: KeyId } = await makeKey(owner)
  const finance = { Department: 'Finance', Classification: 'Public' }
  await makeGrant(owner, {
    KeyId,
    Operations: ['Encrypt', 'Decrypt'],
    Constraints: { EncryptionContextSubset: finance },
  })
  // The guide of 2015 prints the third pair under the name of the second.
  for (const EncryptionContext of [finance, { ...finance, CustomerID: '12345' }]) {
    const sealed = await guest.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
    const { CiphertextBlob } = sealed
    await guest.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  }
  const EncryptionContext = { Department: 'Finance' }
  const encrypt = new EncryptCommand({ KeyId, Plaintext, EncryptionContext })
  await refused(guest.send(encrypt), 'AccessDeniedException', hidden('Encrypt'))
})

test('a grant that is bound to the resource of an AWS service gives a direct caller nothing', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const SourceArn = 'arn:aws:s3:us-west-2:111122223333:bucket/b'
  await makeGrant(owner, { KeyId, Constraints: { SourceArn } })
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  await refused(guest.send(encrypt), 'AccessDeniedException', hidden('Encrypt'))
  const describe = new DescribeKeyCommand({ KeyId })
  await refused(guest.send(describe), 'AccessDeniedException', hidden('DescribeKey'))
})

test('a repeated request of one name is the same grant with another token', async () => {
  const { keyId: KeyId } = await makeKey(owner)
  const named = { KeyId, Name: 'backup' } as const
  const first = await makeGrant(owner, { ...named, Operations: ['Encrypt', 'Decrypt'] })
  const again = await makeGrant(owner, { ...named, Operations: ['Decrypt', 'Encrypt'] })
  assert.equal(again.GrantId, first.GrantId)
  assert.notEqual(again.GrantToken, first.GrantToken)
  const others = [
    await makeGrant(owner, { ...named, Operations: ['Encrypt'] }),
    await makeGrant(owner, { KeyId, Name: 'other', Operations: ['Encrypt', 'Decrypt'] }),
    await makeGrant(owner, { KeyId, Operations: ['Encrypt', 'Decrypt'] }),
    await makeGrant(owner, { KeyId, Operations: ['Encrypt', 'Decrypt'] }),
    await makeGrant(owner, {
      ...named,
      Operations: ['Encrypt', 'Decrypt'],
      RetiringPrincipal: ownerArn,
    }),
  ]
  const ids = new Set([first, ...others].map(({ GrantId }) => GrantId))
  assert.equal(ids.size, others.length + 1)
  await owner.send(new RevokeGrantCommand({ KeyId, GrantId: first.GrantId }))
  const anew = await makeGrant(owner, { ...named, Operations: ['Encrypt', 'Decrypt'] })
  assert.notEqual(anew.GrantId, first.GrantId)
})

test('of many repeated requests at once one makes the grant', async () => {
  const { keyId: KeyId } = await makeKey(owner)
  const made = await Promise.all(
    Array.from({ length: 8 }, () => makeGrant(owner, { KeyId, Name: 'at-once' })),
  )
  assert.equal(new Set(made.map(({ GrantId }) => GrantId)).size, 1)
  const { Grants } = await owner.send(new ListGrantsCommand({ KeyId }))
  assert.equal(Grants?.length, 1)
})

test('a token is taken while its grant lives, and means nothing for anyone but the grantee', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const { GrantId, GrantToken } = await makeGrant(owner, {
    KeyId,
    GranteePrincipal: ownerArn,
    Operations: ['Encrypt'],
  })
  const encrypt = (by: typeof owner, GrantTokens: string[]): Promise<unknown> =>
    by.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens }))
  await encrypt(owner, [GrantToken])
  await refused(encrypt(guest, [GrantToken]), 'AccessDeniedException', hidden('Encrypt'))
  const end = GrantToken.at(-1) === 'A' ? 'B' : 'A'
  for (const wrong of ['x', `${GrantToken.slice(0, -1)}${end}`, `${GrantToken} `, GrantId]) {
    await refused(encrypt(owner, [GrantToken, wrong]), 'InvalidGrantTokenException')
    // Before authorization is decided, for those that it would refuse as well.
    await refused(encrypt(guest, [wrong]), 'InvalidGrantTokenException')
    await refused(
      owner.send(new RetireGrantCommand({ GrantToken: wrong })),
      'InvalidGrantTokenException',
    )
  }
  const elsewhere = server.client({ region: 'eu-west-1' })
  const { arn } = await makeKey(elsewhere)
  await refused(
    elsewhere.send(new DescribeKeyCommand({ KeyId: arn, GrantTokens: [GrantToken] })),
    'InvalidGrantTokenException',
  )
  await owner.send(new RevokeGrantCommand({ KeyId, GrantId }))
  await refused(encrypt(owner, [GrantToken]), 'InvalidGrantTokenException')
  await refused(owner.send(new RetireGrantCommand({ GrantToken })), 'InvalidGrantTokenException')
})

test('a token of another deployment is no token', async () => {
  const { keyId: KeyId } = await makeKey(owner)
  const elsewhere = await startTestServer()
  after(() => elsewhere.stop())
  const theirs = elsewhere.client()
  const key = await makeKey(theirs)
  const made = await makeGrant(theirs, { KeyId: key.keyId, GranteePrincipal: ownerArn })
  const command = new DescribeKeyCommand({ KeyId, GrantTokens: [made.GrantToken] })
  await refused(owner.send(command), 'InvalidGrantTokenException')
  await theirs.send(new DescribeKeyCommand({ KeyId: key.keyId, GrantTokens: [made.GrantToken] }))
})
