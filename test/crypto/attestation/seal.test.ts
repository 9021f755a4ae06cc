import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sealForRecipient } from '../../../src/crypto/attestation/seal.ts'
import { recipient } from './attester.ts'
import { openByPkijs, openLikeTheSdkForC } from './open-sealed.ts'

const sizes = [0, 1, 15, 16, 17, 32, 100, 127, 128, 255, 256, 1024, 4096]
const plaintextOf = (size: number): Buffer => Buffer.alloc(size, 0x5a)

test('pkijs opens what is sealed, of every length', async () => {
  for (const size of sizes) {
    const sealed = sealForRecipient(recipient.publicKey, plaintextOf(size))
    assert.deepEqual(await openByPkijs(sealed, recipient.privateKey), plaintextOf(size))
  }
})

test('a reader that goes by the heads alone, as the SDK for C does, opens what is sealed', () => {
  for (const size of sizes) {
    const sealed = sealForRecipient(recipient.publicKey, plaintextOf(size))
    assert.deepEqual(openLikeTheSdkForC(sealed, recipient.privateKey), plaintextOf(size))
  }
})

test('keys of 3072 and 4096 bits are sealed to as well', async () => {
  for (const modulusLength of [3072, 4096]) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
    const sealed = sealForRecipient(publicKey, plaintextOf(32))
    assert.deepEqual(await openByPkijs(sealed, privateKey), plaintextOf(32))
    assert.deepEqual(openLikeTheSdkForC(sealed, privateKey), plaintextOf(32))
  }
})

test('the layout is that of AWS, byte for byte, but for what is random', () => {
  const sealed = sealForRecipient(recipient.publicKey, plaintextOf(32)).toString('hex')
  // As in the test of aws-nitro-enclaves-sdk-c, tests/cms_test.c.
  const layout =
    '308006092a864886f70d010703a080308002010231' + // EnvelopedData, version 2
    '82016b308201670201028020' + // one recipient, by key identifier
    '#{64}' +
    '303c06092a864886f70d010107302fa00f300d06096086480165030402010500' + // RSAES-OAEP, SHA-256
    'a11c301a06092a864886f70d010108300d06096086480165030402010500' + // MGF1, SHA-256
    '04820100' +
    '#{512}' +
    '308006092a864886f70d010701301d060960864801650304012a0410' + // AES-256-CBC
    '#{32}' +
    'a0800430' +
    '#{96}' +
    '00000000000000000000'
  assert.match(sealed, new RegExp(`^${layout.replaceAll('#', '[0-9a-f]')}$`))
})

test('nothing is sealed the same way twice', () => {
  const [one, two] = [0, 1].map(() => sealForRecipient(recipient.publicKey, plaintextOf(32)))
  assert.notDeepEqual(one?.subarray(-74), two?.subarray(-74))
  const [first, second] = [one, two].map((sealed) => sealed?.subarray(130, 386).toString('hex'))
  assert.notEqual(first, second)
})

test('another key, and a changed byte of the sealed key, open nothing', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const sealed = sealForRecipient(recipient.publicKey, plaintextOf(32))
  await assert.rejects(openByPkijs(sealed, privateKey))
  sealed[200] = (sealed[200] ?? 0) ^ 1
  await assert.rejects(openByPkijs(sealed, recipient.privateKey))
})

const openssl = spawnSync('openssl', ['version'])
const skip = openssl.status === 0 ? false : 'there is no openssl on this machine'

test('openssl cms -decrypt opens what is sealed', { skip }, () => {
  for (const size of sizes) {
    const sealed = sealForRecipient(recipient.publicKey, plaintextOf(size))
    assert.deepEqual(openByOpenssl(sealed, recipient.privateKey), plaintextOf(size))
  }
})

function openByOpenssl(sealed: Buffer, key: KeyObject): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'trent-cms-'))
  try {
    const keyFile = join(directory, 'key.pem')
    writeFileSync(keyFile, key.export({ format: 'pem', type: 'pkcs8' }))
    const command = ['cms', '-decrypt', '-inform', 'DER', '-inkey', keyFile]
    const { status, stdout, stderr } = spawnSync('openssl', command, { input: sealed })
    assert.equal(status, 0, stderr.toString())
    return stdout
  } finally {
    rmSync(directory, { recursive: true })
  }
}
