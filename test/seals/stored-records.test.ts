/**
 * Records of sealed root keys that were written once, and must open for ever. A record that does not open is
 * a deployment whose keys are lost, so a file of this kind is never changed, only added to.
 * @module
 */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileSeal } from '../../src/seals/file.ts'
import { passphraseSeal } from '../../src/seals/passphrase.ts'
import { openRecord, readHeader } from '../../src/seals/sealed-record.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { tpm2Seal } from '../../src/seals/tpm2.ts'
import { realRandom } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'

interface Vectors {
  readonly deploymentId: string
  readonly rootKey: string
  readonly file: { readonly keyFile: string; readonly record: string }
  readonly passphrase: { readonly passphrase: string; readonly record: string }
  readonly shamir: { readonly shares: readonly string[]; readonly record: string }
  readonly pkcs11: {
    readonly sealKey: string
    readonly id: string
    readonly wrapped: string
    readonly record: string
  }
  readonly tpm2: {
    readonly sealKey: string
    readonly pcrs: readonly number[]
    readonly record: string
  }
  readonly kms: { readonly sealKey: string; readonly ciphertext: string; readonly record: string }
}

const path = join(import.meta.dirname, '../vectors/seal-records.json')
const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors
const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
const { deploymentId } = vectors
const rootKey = createSecretKey(bytes(vectors.rootKey))

test('a stored record opens with its key file', async (t) => {
  const keyFile = join(temporaryFolder(t), 'seal.key')
  writeFileSync(keyFile, bytes(vectors.file.keyFile), { mode: 0o600 })
  const opening = fileSeal(keyFile, realRandom).open(bytes(vectors.file.record), deploymentId)
  assert.ok((await opening.give())?.equals(rootKey))
})

test('a stored record opens with its passphrase', async () => {
  const { passphrase, record } = vectors.passphrase
  const opening = passphraseSeal(realRandom).open(bytes(record), deploymentId)
  assert.ok((await opening.give(Buffer.from(passphrase)))?.equals(rootKey))
})

test('a stored record opens with its shares', async () => {
  const { shares, record } = vectors.shamir
  const opening = shamirSeal(realRandom).open(bytes(record), deploymentId)
  const given = []
  for (const share of shares.slice(1)) given.push(await opening.give(Buffer.from(share)))
  assert.deepEqual(given.slice(0, -1), [undefined, undefined])
  assert.ok(given.at(-1)?.equals(rootKey))
})

test('a stored record holds what a KMS must decrypt, and opens with what it answers', () => {
  const { sealKey, ciphertext, record } = vectors.kms
  assert.equal(readHeader(bytes(record), 'kms')['ciphertext'], ciphertext)
  const key = createSecretKey(bytes(sealKey))
  assert.ok(openRecord(key, bytes(record), deploymentId).equals(rootKey))
})

test('a stored record names the key in an HSM that must decrypt, and opens with what it answers', () => {
  const { sealKey, id, wrapped, record } = vectors.pkcs11
  const header = readHeader(bytes(record), 'pkcs11')
  assert.deepEqual([header['id'], header['wrapped']], [id, wrapped])
  const key = createSecretKey(bytes(sealKey))
  assert.ok(openRecord(key, bytes(record), deploymentId).equals(rootKey))
})

test('a stored record names the PCRs and the objects of a TPM, and opens with what it answers', () => {
  const { sealKey, pcrs, record } = vectors.tpm2
  const header = readHeader(bytes(record), 'tpm2')
  const names = ['kind', 'primary', 'pcrs', 'public', 'private', 'lock']
  assert.deepEqual([Object.keys(header), header['pcrs']], [names, pcrs])
  assert.ok(tpm2Seal({ pcrs }, realRandom).open(bytes(record), deploymentId))
  const key = createSecretKey(bytes(sealKey))
  assert.ok(openRecord(key, bytes(record), deploymentId).equals(rootKey))
})
