/** Ciphertexts that were changed, cut, made elsewhere or made up: none opens, each is refused as AWS does. @module */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CreateAliasCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { makeKey, refused, type MadeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
let key: MadeKey
let other: MadeKey
let sealed: Buffer
let dataKey: Buffer

before(async () => {
  key = await makeKey(kms)
  other = await makeKey(kms)
  const KeyId = key.keyId
  const encrypted = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('secret') }))
  const generated = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  sealed = Buffer.from(encrypted.CiphertextBlob ?? [])
  dataKey = Buffer.from(generated.CiphertextBlob ?? [])
})

const incorrectKey =
  'The key ID in the request does not identify a CMK that can perform this operation.'
const unknownKey =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
  'region, or you are not allowed to access.'

function decrypt(CiphertextBlob: Uint8Array, KeyId?: string): Promise<object> {
  return kms.send(new DecryptCommand({ CiphertextBlob, ...(KeyId !== undefined && { KeyId }) }))
}

/** The bytes that name the material that sealed. */
function namesMaterial(index: number): boolean {
  return index >= 5 && index < 37
}

function flipped(blob: Buffer, index: number, mask: number): Buffer {
  const copy = Buffer.from(blob)
  copy.writeUInt8(copy.readUInt8(index) ^ mask, index)
  return copy
}

test('what Encrypt and GenerateDataKey sealed opens as it is', async () => {
  for (const blob of [sealed, dataKey]) {
    await decrypt(blob)
    await decrypt(blob, key.keyId)
  }
})

test('with any byte flipped it does not: the material id is one unknown, the rest is invalid', async () => {
  for (const blob of [sealed, dataKey]) {
    const calls = Array.from(blob, (_, index) => {
      const spoilt = flipped(blob, index, index % 2 === 0 ? 0x01 : 0x80)
      return namesMaterial(index)
        ? refused(decrypt(spoilt), 'AccessDeniedException', unknownKey)
        : refused(decrypt(spoilt), 'InvalidCiphertextException')
    })
    await Promise.all(calls)
  }
})

test('with its key named, a flip in the material id is the wrong key, and the rest is invalid', async () => {
  const calls = Array.from(sealed, (_, index) => {
    const call = decrypt(flipped(sealed, index, 0x10), key.keyId)
    return namesMaterial(index)
      ? refused(call, 'IncorrectKeyException', incorrectKey)
      : refused(call, 'InvalidCiphertextException')
  })
  await Promise.all(calls)
})

test('cut anywhere, or with a byte more, it is invalid', async () => {
  const cuts = Array.from({ length: sealed.length - 1 }, (_, index) =>
    refused(decrypt(sealed.subarray(0, index + 1)), 'InvalidCiphertextException'),
  )
  await Promise.all(cuts)
  for (const longer of [
    Buffer.concat([sealed, Buffer.alloc(1)]),
    Buffer.concat([sealed, sealed]),
  ]) {
    await refused(decrypt(longer), 'InvalidCiphertextException')
  }
  await refused(decrypt(sealed.subarray(1)), 'InvalidCiphertextException')
})

test('ReEncrypt refuses a spoilt source as Decrypt does', async () => {
  for (const index of [0, 2, 5, 36, 37, 60, sealed.length - 1]) {
    const CiphertextBlob = flipped(sealed, index, 0x20)
    const call = kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: other.keyId }))
    await (namesMaterial(index)
      ? refused(call, 'AccessDeniedException', unknownKey)
      : refused(call, 'InvalidCiphertextException'))
  }
})

test('another key, by any of its names, is the wrong key', async () => {
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/other', TargetKeyId: other.keyId }))
  for (const name of [other.keyId, other.arn, 'alias/other']) {
    await refused(decrypt(sealed, name), 'IncorrectKeyException', incorrectKey)
  }
})

test('the material id of another key does not make it that one’s', async () => {
  const stolen = Buffer.concat([
    sealed.subarray(0, 5),
    Buffer.from(other.materialId, 'hex'),
    sealed.subarray(37),
  ])
  await refused(decrypt(stolen), 'InvalidCiphertextException')
  await refused(decrypt(stolen, other.keyId), 'InvalidCiphertextException')
})

test('bytes that are no ciphertext are refused, whatever key is named', async () => {
  for (const blob of [Buffer.from('hello'), Buffer.alloc(184), Buffer.alloc(6144, 0xff)]) {
    await refused(decrypt(blob), 'InvalidCiphertextException')
    await refused(decrypt(blob, key.keyId), 'InvalidCiphertextException')
  }
})

test('what opened before opens after all of this', async () => {
  const { Plaintext } = (await decrypt(sealed)) as { readonly Plaintext?: Uint8Array }
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'secret')
})
