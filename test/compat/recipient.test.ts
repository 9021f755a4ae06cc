import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DecryptCommand,
  type DecryptCommandOutput,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  type RecipientInfo,
} from '@aws-sdk/client-kms'
import { pcr0 } from '../crypto/attestation/attester.ts'
import { accountId } from '../harness.ts'
import {
  kms,
  lastRecord,
  newKey,
  opened,
  recipientOf,
  recordTexts,
  refused,
  sealed,
  server,
} from './attested.ts'

const Principal = { AWS: `arn:aws:iam::${accountId}:root` }
const Resource = '*'

test('Decrypt for a recipient answers what the recipient alone opens, and no plaintext', async () => {
  const KeyId = await newKey()
  const CiphertextBlob = await sealed(KeyId, 'attack at dawn')
  const answer = await kms.send(new DecryptCommand({ CiphertextBlob, Recipient: recipientOf() }))
  const { $metadata, CiphertextForRecipient, KeyMaterialId, ...rest } = answer
  assert.equal($metadata.httpStatusCode, 200)
  assert.match(String(KeyMaterialId), /^[0-9a-f]{64}$/)
  const arn = `arn:aws:kms:us-west-2:${accountId}:key/${KeyId}`
  assert.deepEqual(rest, { KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
  assert.equal(await opened(CiphertextForRecipient), 'attack at dawn')
})

test('GenerateDataKey for a recipient gives the data key to the recipient alone', async () => {
  const KeyId = await newKey()
  const answer = await kms.send(
    new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', Recipient: recipientOf() }),
  )
  assert.equal(answer.Plaintext, undefined)
  const dataKey = await opened(answer.CiphertextForRecipient)
  assert.equal(dataKey.length, 32)
  const { CiphertextBlob } = answer
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString('latin1'), dataKey)
})

test('GenerateRandom for a recipient answers sealed bytes and nothing else', async () => {
  const { $metadata, CiphertextForRecipient, ...rest } = await kms.send(
    new GenerateRandomCommand({ NumberOfBytes: 100, Recipient: recipientOf() }),
  )
  assert.equal($metadata.httpStatusCode, 200)
  assert.deepEqual(rest, {})
  assert.equal((await opened(CiphertextForRecipient)).length, 100)
})

const denied = (KeyId: string): string =>
  `User: arn:aws:iam::${accountId}:root is not authorized to perform: kms:Decrypt on resource: ` +
  `arn:aws:kms:us-west-2:${accountId}:key/${KeyId} because ` +
  'no resource-based policy allows the kms:Decrypt action'

test('a key policy lets the image of its choice decrypt, and nobody else', async () => {
  const allowing = (key: string, value: string): Promise<string> =>
    newKey(
      { Effect: 'Allow', Principal, Action: ['kms:Encrypt', 'kms:PutKeyPolicy'], Resource },
      {
        Effect: 'Allow',
        Principal,
        Action: 'kms:Decrypt',
        Resource,
        Condition: { StringEquals: { [`kms:RecipientAttestation:${key}`]: value } },
      },
    )
  for (const [key, value, allowed] of [
    ['PCR0', pcr0, true],
    ['ImageSha384', pcr0, true],
    ['PCR15', '0f'.repeat(48), true],
    ['PCR0', pcr0.toUpperCase(), false],
    ['PCR0', '00'.repeat(48), false],
    ['PCR16', '00'.repeat(48), false],
    ['NitroTPMPCR0', pcr0, false],
  ] as const) {
    const KeyId = await allowing(key, value)
    const CiphertextBlob = await sealed(KeyId, 'x')
    const decrypt = (Recipient?: RecipientInfo): Promise<DecryptCommandOutput> =>
      kms.send(new DecryptCommand({ CiphertextBlob, KeyId, ...(Recipient && { Recipient }) }))
    if (allowed)
      assert.equal(await opened((await decrypt(recipientOf())).CiphertextForRecipient), 'x')
    else await refused(decrypt(recipientOf()), 'AccessDeniedException', denied(KeyId))
    await refused(decrypt(), 'AccessDeniedException', denied(KeyId))
    const another = recipientOf({ pcrs: new Map([[1, Buffer.alloc(48, 0xa5)]]) })
    await refused(decrypt(another), 'AccessDeniedException', denied(KeyId))
  }
})

test('the registers of a NitroTPM are conditions of their own', async () => {
  const KeyId = await newKey(
    { Effect: 'Allow', Principal, Action: ['kms:Encrypt', 'kms:PutKeyPolicy'], Resource },
    {
      Effect: 'Allow',
      Principal,
      Action: 'kms:Decrypt',
      Resource,
      Condition: { StringEquals: { 'kms:RecipientAttestation:NitroTPMPCR4': 'a5'.repeat(48) } },
    },
  )
  const CiphertextBlob = await sealed(KeyId, 'x')
  const registers = new Map([[4, Buffer.alloc(48, 0xa5)]])
  const tpm = recipientOf({ pcrs: undefined, nitrotpm_pcrs: registers })
  const answer = await kms.send(new DecryptCommand({ CiphertextBlob, Recipient: tpm }))
  assert.equal(await opened(answer.CiphertextForRecipient), 'x')
  const enclave = recipientOf({ pcrs: registers })
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob, KeyId, Recipient: enclave })),
    'AccessDeniedException',
    denied(KeyId),
  )
})

test('a policy denies what does not run in the image of its choice', async () => {
  const Condition = { StringNotEquals: { 'kms:RecipientAttestation:PCR0': pcr0 } }
  const KeyId = await newKey(
    { Effect: 'Allow', Principal, Action: 'kms:*', Resource },
    { Effect: 'Deny', Principal, Action: 'kms:GenerateDataKey', Resource, Condition },
  )
  const generate = (Recipient?: RecipientInfo): Promise<unknown> =>
    kms.send(
      new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 16, ...(Recipient && { Recipient }) }),
    )
  await generate(recipientOf())
  await assert.rejects(generate(), { name: 'AccessDeniedException' })
  await assert.rejects(generate(recipientOf({ pcrs: new Map([[0, Buffer.alloc(48)]]) })), {
    name: 'AccessDeniedException',
  })
})

test('the record names the recipient, and no record, log line or answer holds the plaintext', async () => {
  const KeyId = await newKey()
  const secret = 'a plaintext that is nowhere but in its envelope'
  const CiphertextBlob = await sealed(KeyId, secret)
  const body = await kms.send(new DecryptCommand({ CiphertextBlob, Recipient: recipientOf() }))
  assert.equal(Buffer.from(body.CiphertextForRecipient ?? []).includes(secret), false)
  const record = await lastRecord()
  assert.deepEqual(record['additionalEventData'], {
    recipient: {
      attestationDocumentModuleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      attestationDocumentEnclaveImageDigest: pcr0,
      attestationDocumentEnclavePCR1: '01'.repeat(48),
      attestationDocumentEnclavePCR2: '02'.repeat(48),
      attestationDocumentEnclavePCR3: '03'.repeat(48),
      attestationDocumentEnclavePCR4: '04'.repeat(48),
      attestationDocumentEnclavePCR8: '08'.repeat(48),
    },
    keyMaterialId: body.KeyMaterialId,
  })
  const texts = [...server.logged, ...(await recordTexts())]
  assert(texts.length > 0)
  for (const text of texts) {
    assert.equal(text.includes(secret), false)
    assert.equal(text.includes(Buffer.from(secret).toString('base64')), false)
  }
})
