/** Fixed material of `trent apply`: the same in other programs, in other servers, and again. @module */
import assert from 'node:assert/strict'
import { createHmac, sign, verify } from 'node:crypto'
import { after, test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  GenerateMacCommand,
  SignCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import { region, startTestServer } from '../harness.ts'
import {
  apply,
  curve,
  curveId,
  earlierMaterial,
  first,
  importedId,
  macId,
  richFile,
  rsa,
  rsaId,
  shown,
  symmetricId,
} from './applied.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
const kms = server.client()
after(() => server.stop())
await apply(server, richFile())

test('fixed material is what other programs have: signatures and MACs agree with node:crypto', async () => {
  const message = Buffer.from('signed')
  const signing = { Message: message, MessageType: 'RAW' } as const
  const { Signature } = await kms.send(
    new SignCommand({ KeyId: rsaId, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', ...signing }),
  )
  assert(verify('sha256', message, rsa.publicKey, Signature ?? Buffer.alloc(0)))
  const { SignatureValid } = await kms.send(
    new VerifyCommand({
      KeyId: curveId,
      SigningAlgorithm: 'ECDSA_SHA_256',
      Signature: sign('sha256', message, curve.privateKey),
      ...signing,
    }),
  )
  assert.equal(SignatureValid, true)
  const { Mac } = await kms.send(
    new GenerateMacCommand({ KeyId: macId, MacAlgorithm: 'HMAC_SHA_256', Message: message }),
  )
  const own = createHmac('sha256', Buffer.alloc(40, 3)).update(message).digest()
  assert.deepEqual(Buffer.from(Mac ?? []), own)
})

test('a ciphertext opens in another Trent that has applied the same file, its rotated ones too', async (t) => {
  const other = await startTestServer()
  t.after(() => other.stop())
  const file = richFile()
  const [account] = file.accounts
  // There the key was not rotated yet: its ciphertexts are of what is the earlier material here.
  const [key] = account.keys
  const before = { keyId: key.keyId, material: earlierMaterial }
  await apply(other, { accounts: [{ accountId: first, keys: [before, account.keys[5]] }] })
  const there = other.client()
  for (const KeyId of [symmetricId, importedId]) {
    const plaintext = Buffer.from(`for ${KeyId}`)
    const { CiphertextBlob } = await there.send(new EncryptCommand({ KeyId, Plaintext: plaintext }))
    const { Plaintext, KeyId: arn } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(Plaintext ?? []), plaintext)
    assert.equal(arn, `arn:aws:kms:${region}:${first}:key/${KeyId}`)
  }
})

test('after a reset by the test API the file makes the same keys again', async () => {
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: symmetricId, Plaintext: Buffer.from('before') }),
  )
  const body = { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } }
  const answer = await fetch(`${server.url}/_trent/test/reset`, body)
  assert.equal(answer.status, 200)
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })))
  const lines = shown(await apply(server, richFile()))
  // The first account stays, but for its organisation.
  assert.deepEqual(
    [lines.length, lines[0]],
    [27, `update account arn:aws:iam::${first}:root organization`],
  )
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'before')
})
