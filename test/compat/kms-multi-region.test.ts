/** Multi-Region keys through the official SDK, in three Regions of one server. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  SignCommand,
  UpdateKeyDescriptionCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { arnIn, config, describe, makePrimary, replicate, settled } from './multi-region.ts'
import { answerOf, makeKey, refused } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const here = 'us-west-2'
const there = 'eu-north-1'
const kms = server.client()
const kmsThere = server.client({ region: there })
const Plaintext = Buffer.from('a secret')
const EncryptionContext = { purpose: 'test' }

test('a replica is Creating for a moment, and then Enabled', async () => {
  const KeyId = await makePrimary(kms, { Description: 'the first' })
  assert.match(KeyId, /^mrk-[0-9a-f]{32}$/)
  assert.deepEqual(
    (await describe(kms, KeyId)).MultiRegionConfiguration,
    config('PRIMARY', KeyId, here, []),
  )
  const answer = await answerOf(
    kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there, Description: 'the second' })),
  )
  const { CreationDate, ...made } = answer['ReplicaKeyMetadata'] as Record<string, unknown>
  assert(CreationDate instanceof Date)
  assert.deepEqual(made, {
    AWSAccountId: accountId,
    KeyId,
    Arn: arnIn(there, KeyId),
    Enabled: false,
    Description: 'the second',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Creating',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: true,
    MultiRegionConfiguration: config('REPLICA', KeyId, here, [there]),
  })
  const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
  assert.equal(answer['ReplicaPolicy'], Policy)
  assert.equal(answer['ReplicaTags'], undefined)
  await refused(
    kmsThere.send(new EncryptCommand({ KeyId, Plaintext })),
    'KMSInvalidStateException',
    `${arnIn(there, KeyId)} is creating.`,
  )
  await settled(kmsThere, KeyId)
  const [primary, replica] = [await describe(kms, KeyId), await describe(kmsThere, KeyId)]
  assert.deepEqual([replica.KeyState, replica.Enabled], ['Enabled', true])
  assert.equal(replica.CurrentKeyMaterialId, primary.CurrentKeyMaterialId)
  assert.deepEqual(primary.MultiRegionConfiguration, config('PRIMARY', KeyId, here, [there]))
  const { Keys } = await kmsThere.send(new ListKeysCommand({}))
  assert.deepEqual(Keys, [{ KeyId, KeyArn: arnIn(there, KeyId) }])
})

test('what AWS does in the background ends within two seconds', async () => {
  const KeyId = await makePrimary(kms)
  let soonest = Infinity
  // The best of some: a machine may be busy with something else.
  for (const ReplicaRegion of ['us-east-1', 'us-east-2', 'eu-west-1', 'eu-west-2']) {
    await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))
    soonest = Math.min(soonest, await settled(server.client({ region: ReplicaRegion }), KeyId))
  }
  assert(soonest < 2000, `${soonest} ms`)
})

test('what one Region seals another opens, by no name, the id or its own ARN', async () => {
  const KeyId = await makePrimary(kms)
  await replicate(kms, kmsThere, { KeyId, ReplicaRegion: there })
  const { CurrentKeyMaterialId: materialId } = await describe(kms, KeyId)
  for (const [sealing, opening, place, other] of [
    [kms, kmsThere, there, here],
    [kmsThere, kms, here, there],
  ] as const) {
    const given = { KeyId, Plaintext, EncryptionContext }
    const { CiphertextBlob } = await sealing.send(new EncryptCommand(given))
    for (const named of [undefined, KeyId, arnIn(place, KeyId)]) {
      const input = { CiphertextBlob, EncryptionContext, ...(named && { KeyId: named }) }
      const opened = await opening.send(new DecryptCommand(input))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
      assert.deepEqual([opened.KeyId, opened.KeyMaterialId], [arnIn(place, KeyId), materialId])
    }
    const foreign = { CiphertextBlob, EncryptionContext, KeyId: arnIn(other, KeyId) }
    const incorrect =
      'The key ID in the request does not identify a CMK that can perform this operation.'
    await refused(opening.send(new DecryptCommand(foreign)), 'IncorrectKeyException', incorrect)
    const again = {
      CiphertextBlob,
      SourceEncryptionContext: EncryptionContext,
      DestinationKeyId: KeyId,
    }
    const moved = await opening.send(new ReEncryptCommand(again))
    const back = await sealing.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))
    assert.deepEqual(Buffer.from(back.Plaintext ?? []), Plaintext)
    await refused(
      opening.send(new ReEncryptCommand({ ...again, SourceKeyId: arnIn(other, KeyId) })),
      'IncorrectKeyException',
      incorrect,
    )
    await refused(
      opening.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: {} })),
      'InvalidCiphertextException',
    )
  }
  const data = await kmsThere.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob }))
  assert.deepEqual(opened.Plaintext, data.Plaintext)
})

test('the ARN of a key in a Region that has no relative of it is not found, as ever', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const elsewhere = new DecryptCommand({ CiphertextBlob, KeyId: arn })
  await refused(kmsThere.send(elsewhere), 'NotFoundException', `Invalid arn ${here}`)
  // Nor is one by the ARN of another account's key, whatever its ciphertext is of.
  const related = await makePrimary(kms)
  await replicate(kms, kmsThere, { KeyId: related, ReplicaRegion: there })
  const sealed = await kms.send(new EncryptCommand({ KeyId: related, Plaintext }))
  const foreign = arnIn(here, related).replace(accountId, '999988887777')
  const named = { CiphertextBlob: sealed.CiphertextBlob, KeyId: foreign }
  const says = `Invalid arn ${here}`
  await refused(kmsThere.send(new DecryptCommand(named)), 'NotFoundException', says)
})

test('a replica signs, verifies, encrypts and agrees with the same pair, and makes the same MAC', async () => {
  const pairs = [
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'ECDSA_SHA_256'],
    ['RSA_2048', 'SIGN_VERIFY', 'RSASSA_PSS_SHA_256'],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', 'ED25519_SHA_512'],
    ['ML_DSA_44', 'SIGN_VERIFY', 'ML_DSA_SHAKE_256'],
  ] as const
  for (const [KeySpec, KeyUsage, SigningAlgorithm] of pairs) {
    const KeyId = await makePrimary(kms, { KeySpec, KeyUsage })
    await replicate(kms, kmsThere, { KeyId, ReplicaRegion: there })
    const message = { KeyId, Message: Plaintext, SigningAlgorithm }
    const { Signature } = await kms.send(new SignCommand(message))
    const verified = await kmsThere.send(new VerifyCommand({ ...message, Signature }))
    assert.deepEqual([verified.SignatureValid, verified.KeyId], [true, arnIn(there, KeyId)])
    const [one, other] = await Promise.all(
      [kms, kmsThere].map((client) => client.send(new GetPublicKeyCommand({ KeyId }))),
    )
    assert.deepEqual(one?.PublicKey, other?.PublicKey)
  }
  const hmac = await makePrimary(kms, { KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' })
  await replicate(kms, kmsThere, { KeyId: hmac, ReplicaRegion: there })
  const given = { KeyId: hmac, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_384' } as const
  const { Mac } = await kmsThere.send(new GenerateMacCommand(given))
  assert.equal((await kms.send(new VerifyMacCommand({ ...given, Mac }))).MacValid, true)
  const rsa = await makePrimary(kms, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  await replicate(kms, kmsThere, { KeyId: rsa, ReplicaRegion: there })
  const sealed = { KeyId: rsa, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ ...sealed, Plaintext }))
  const opened = await kmsThere.send(new DecryptCommand({ ...sealed, CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  const agreeing = await makePrimary(kms, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  await replicate(kms, kmsThere, { KeyId: agreeing, ReplicaRegion: there })
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: agreeing }))
  const derive = { KeyId: agreeing, KeyAgreementAlgorithm: 'ECDH', PublicKey } as const
  const [mine, theirs] = await Promise.all(
    [kms, kmsThere].map((client) => client.send(new DeriveSharedSecretCommand(derive))),
  )
  assert.deepEqual(mine?.SharedSecret, theirs?.SharedSecret)
})

test("a replica's policy, tags, description, aliases, grants and state are its own", async () => {
  const Tags = [{ TagKey: 'team', TagValue: 'red' }]
  const KeyId = await makePrimary(kms, { Tags, Description: 'mine' })
  const tags = [{ TagKey: 'team', TagValue: 'blue' }]
  const made = await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there, Tags: tags }))
  assert.deepEqual(made.ReplicaTags, tags)
  await settled(kmsThere, KeyId)
  const tagsOf = async (client: typeof kms): Promise<unknown> =>
    (await client.send(new ListResourceTagsCommand({ KeyId }))).Tags
  assert.deepEqual([await tagsOf(kms), await tagsOf(kmsThere)], [Tags, tags])
  await kmsThere.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'theirs' }))
  const said = [await describe(kms, KeyId), await describe(kmsThere, KeyId)]
  assert.deepEqual(
    said.map(({ Description }) => Description),
    ['mine', 'theirs'],
  )
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/only-here', TargetKeyId: KeyId }))
  assert.deepEqual((await kmsThere.send(new ListAliasesCommand({ KeyId }))).Aliases, [])
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'] }))
  assert.deepEqual((await kmsThere.send(new ListGrantsCommand({ KeyId }))).Grants, [])
  const { CiphertextBlob } = await kmsThere.send(new EncryptCommand({ KeyId, Plaintext }))
  await kmsThere.send(new DisableKeyCommand({ KeyId }))
  await refused(
    kmsThere.send(new DecryptCommand({ CiphertextBlob })),
    'DisabledException',
    `${arnIn(there, KeyId)} is disabled.`,
  )
  await kms.send(new DecryptCommand({ CiphertextBlob }))
})

test("the second Region's own policy decides who opens there", async () => {
  const KeyId = await makePrimary(kms)
  const allow = (Action: readonly string[]): object => ({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accountId}:root` },
    Action,
    Resource: '*',
  })
  const deny = { ...allow(['kms:Decrypt']), Effect: 'Deny' }
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [allow(['kms:*']), deny],
  })
  await replicate(kms, kmsThere, { KeyId, ReplicaRegion: there, Policy })
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  await assert.rejects(kmsThere.send(new DecryptCommand({ CiphertextBlob })), {
    name: 'AccessDeniedException',
  })
})

test('a policy that would lock its writer out of the replica is refused, or let by', async () => {
  const KeyId = await makePrimary(kms)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:Decrypt',
        Resource: '*',
      },
    ],
  })
  const input = { KeyId, ReplicaRegion: there, Policy }
  await refused(
    kms.send(new ReplicateKeyCommand(input)),
    'MalformedPolicyDocumentException',
    'The new key policy will not allow you to update the key policy in the future.',
  )
  const bypassed = { ...input, BypassPolicyLockoutSafetyCheck: true }
  const { ReplicaPolicy } = await kms.send(new ReplicateKeyCommand(bypassed))
  assert.equal(ReplicaPolicy, Policy)
})
