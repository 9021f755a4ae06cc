import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DecryptCommand,
  DisableKeyCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  type RecipientInfo,
} from '@aws-sdk/client-kms'
import { attest, createAttester } from '../crypto/attestation/attester.ts'
import { startTestServer } from '../harness.ts'
import {
  attester,
  KeyEncryptionAlgorithm,
  kms,
  lastRecord,
  newKey,
  recipientOf,
  refused,
  sealed,
  server,
} from './attested.ts'

const refusal = (reason: string): string => `the attestation document is refused: ${reason}`
const minute = 60_000
const needed = '`Recipient` needs a `KeyEncryptionAlgorithm` and an `AttestationDocument`'

test('a recipient who proves nothing gets nothing', async () => {
  const KeyId = await newKey()
  const CiphertextBlob = await sealed(KeyId, 'x')
  const other = await createAttester()
  const good = attest(attester)
  const tampered = Uint8Array.from(good)
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1
  const AttestationDocument = attest(other)
  for (const [Recipient, reason] of [
    [{}, needed],
    [{ KeyEncryptionAlgorithm }, needed],
    [{ AttestationDocument: good }, needed],
    [
      { KeyEncryptionAlgorithm, AttestationDocument },
      refusal('its certificates do not begin at a trusted root'),
    ],
    [
      { KeyEncryptionAlgorithm, AttestationDocument: tampered },
      refusal('its signature does not verify'),
    ],
    [
      { KeyEncryptionAlgorithm, AttestationDocument: Buffer.alloc(262_144, 0x81) },
      refusal('it is too long'),
    ],
    [
      { KeyEncryptionAlgorithm, AttestationDocument: Buffer.alloc(16_000, 0x81) },
      refusal('its CBOR is malformed'),
    ],
    [recipientOf({ timestamp: Date.now() - 6 * minute }), refusal('it has expired')],
    [recipientOf({ timestamp: Date.now() + 6 * minute }), refusal('it is from the future')],
    [recipientOf({ public_key: null }), refusal('it has no public key')],
  ] as const) {
    const asked = Recipient as RecipientInfo // some of them on purpose are none
    for (const call of [
      () => kms.send(new DecryptCommand({ CiphertextBlob, Recipient: asked })),
      () => kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_128', Recipient: asked })),
      () => kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, Recipient: asked })),
    ]) {
      await assert.rejects(call(), { name: 'ValidationException', message: reason })
      const record = await lastRecord()
      assert.equal(record['errorMessage'], reason)
      assert.equal(record['additionalEventData'], undefined)
    }
  }
})

test('what AWS’s model refuses of a recipient is refused in its words', async () => {
  const is = (problem: string): string => `1 validation error detected: Value ${problem}`
  for (const [Recipient, message] of [
    [
      { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_1', AttestationDocument: Buffer.from('x') },
      is(
        "'RSAES_OAEP_SHA_1' at 'recipient.keyEncryptionAlgorithm' failed to satisfy constraint: " +
          'Member must satisfy enum value set: [RSAES_OAEP_SHA_256]',
      ),
    ],
    [
      { KeyEncryptionAlgorithm, AttestationDocument: Buffer.alloc(262_145) },
      is(
        "at 'recipient.attestationDocument' failed to satisfy constraint: Member must have length " +
          'less than or equal to 262144',
      ),
    ],
  ] as const) {
    const asked = Recipient as RecipientInfo // an algorithm that there is not, on purpose
    const call = kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, Recipient: asked }))
    await refused(call, 'ValidationException', message)
  }
})

test('the document is looked at before the key, and a dry run seals nothing', async () => {
  const KeyId = await newKey()
  const bad = recipientOf({ public_key: null })
  const size = { KeySpec: 'AES_256' } as const
  await refused(
    kms.send(new GenerateDataKeyCommand({ KeyId: 'alias/none', ...size, Recipient: bad })),
    'ValidationException',
    refusal('it has no public key'),
  )
  const Recipient = recipientOf()
  await refused(
    kms.send(new GenerateDataKeyCommand({ KeyId, ...size, Recipient, DryRun: true })),
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  )
  await kms.send(new DisableKeyCommand({ KeyId }))
  await assert.rejects(kms.send(new GenerateDataKeyCommand({ KeyId, ...size, Recipient })), {
    name: 'DisabledException',
  })
})

test('moving the test clock neither ages a document nor keeps one alive', async () => {
  const move = async (body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    assert.equal((await fetch(`${server.url}/_trent/test/clock`, init)).status, 200)
  }
  const document = attest(attester)
  const old = attest(attester, { timestamp: Date.now() - 9 * minute })
  await move({ advance: '1d' })
  const ask = (AttestationDocument: Uint8Array): Promise<unknown> =>
    kms.send(
      new GenerateRandomCommand({
        NumberOfBytes: 8,
        Recipient: { KeyEncryptionAlgorithm, AttestationDocument },
      }),
    )
  await ask(document)
  await assert.rejects(ask(old), { message: refusal('it has expired') })
})

test('without a file of roots, only AWS’s enclaves are recipients', async () => {
  const plain = await startTestServer()
  try {
    await assert.rejects(
      plain
        .client()
        .send(new GenerateRandomCommand({ NumberOfBytes: 8, Recipient: recipientOf() })),
      { message: refusal('its certificates do not begin at a trusted root') },
    )
  } finally {
    await plain.stop()
  }
})
