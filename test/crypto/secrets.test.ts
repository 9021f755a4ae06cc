import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import { openSigningSecret, wrapSecret } from '../../src/crypto/secrets.ts'
import type { SecretOwner } from '../../src/crypto/secrets.ts'
import { flipped, testKeyring } from './fixed.ts'

const owner: SecretOwner = {
  accessKeyId: 'AKIAEXAMPLE',
  accountId: '000000000000',
  principalKind: 'root',
  principalId: '000000000000',
}
const secret = Buffer.from('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')

test('a wrapped secret opens to the key that Signature Version 4 starts from', () => {
  const keyring = testKeyring()
  const wrapped = wrapSecret(keyring, owner, secret)
  const record = { ...owner, ...wrapped }
  const expected = createSecretKey(Buffer.concat([Buffer.from('AWS4'), secret]))
  assert.ok(openSigningSecret(keyring, record).equals(expected))
  assert.ok(!Buffer.from(wrapped.wrappedSecret).includes(secret))
})

test('a secret does not open for another access key, account or principal', () => {
  const keyring = testKeyring()
  const wrapped = wrapSecret(keyring, owner, secret)
  const record = { ...owner, ...wrapped }
  const changes: Partial<typeof record>[] = [
    { accessKeyId: 'AKIAOTHER' },
    { accountId: '000000000001' },
    { principalKind: 'user' },
    { principalId: 'AIDAEXAMPLE' },
    { wrappingVersion: 2 },
    { wrappedSecret: flipped(wrapped.wrappedSecret, 15) },
  ]
  for (const change of changes) {
    const changed = { ...record, ...change }
    assert.throws(() => openSigningSecret(keyring, changed), NotAuthentic)
  }
})

test('an empty secret and one beyond 128 bytes are not wrapped', () => {
  const keyring = testKeyring()
  assert.throws(() => wrapSecret(keyring, owner, Buffer.alloc(0)), RangeError)
  assert.throws(() => wrapSecret(keyring, owner, Buffer.alloc(129)), RangeError)
  assert.ok(wrapSecret(keyring, owner, Buffer.alloc(128)))
})
