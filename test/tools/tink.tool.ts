/** Tink's envelopes: a data key a message, made by Tink and sealed by a KMS key. @module */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptCommand, DisableKeyCommand } from '@aws-sdk/client-kms'
import { openWorkplace } from '../compat/workplace.ts'
import { accountId, region } from '../harness.ts'
import { programsIn } from './programs.ts'

const go = await programsIn('go')
const { skip } = go
const arnOf = (id: string): string => `arn:aws:kms:${region}:${accountId}:key/${id}`

test('Tink opens an envelope under its associated data and no other', { skip }, async (t) => {
  const { print, shell, write, folder, newKey } = await openWorkplace(t, go)
  const arn = arnOf(await newKey())
  const plaintext = 'a patient’s record '.repeat(10_000)
  await write('plain', plaintext)
  await print(`tink seal ${arn} patient-7 < plain > sealed`)
  assert.equal(await print(`tink open ${arn} patient-7 < sealed`), plaintext)
  // The Region is the ARN's, whatever the environment says.
  assert.equal(await print(`AWS_REGION=eu-north-1 tink open ${arn} patient-7 < sealed`), plaintext)
  assert.ok((await readFile(join(folder, 'sealed'), 'utf8')).length > 2 * plaintext.length)

  const other = await shell(`tink open ${arn} patient-8 < sealed`)
  assert.equal(other.status, 1)
  assert.equal(other.stdout, '')
  assert.match(other.stderr, /message authentication failed/)
})

test('the data key of an envelope of Tink is a ciphertext of KMS', { skip }, async (t) => {
  const { client, print, write, folder, newKey } = await openWorkplace(t, go)
  const id = await newKey()
  await write('plain', 'hello')
  await print(`tink seal ${arnOf(id)} '' < plain > sealed`)
  const sealed = Buffer.from((await readFile(join(folder, 'sealed'), 'utf8')).trim(), 'hex')
  // The envelope begins with the length of the sealed data key, four bytes, and the sealed data key.
  const CiphertextBlob = sealed.subarray(4, 4 + sealed.readUInt32BE(0))
  const { KeyId, Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(KeyId, arnOf(id))
  // A key of Tink is a message of protocol buffers: 32 bytes of AES and the bytes that name the field.
  assert.ok((Plaintext ?? []).length > 32)
})

test('Tink says what KMS says of a disabled key and of another one', { skip }, async (t) => {
  const { client, print, shell, write, newKey } = await openWorkplace(t, go)
  const [first, second] = [await newKey(), await newKey()]
  await write('plain', 'hello')
  await print(`tink seal ${arnOf(first)} '' < plain > sealed`)
  const other = await shell(`tink open ${arnOf(second)} '' < sealed`)
  assert.equal(other.status, 1)
  assert.match(other.stderr, /IncorrectKeyException/)

  await client.send(new DisableKeyCommand({ KeyId: first }))
  for (const call of ['open', 'seal']) {
    const { status, stdout, stderr } = await shell(`tink ${call} ${arnOf(first)} '' < sealed`)
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' })
    assert.match(stderr, new RegExp(`DisabledException: arn:aws:kms:\\S+:key/${first} is disabled`))
  }
})
