import assert from 'node:assert/strict'
import { createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assert as check, constantFrom, property, string, uint8Array } from 'fast-check'
import { createDomainKey, openKeyring } from '../../src/crypto/domain-keys.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import type { TokenPurpose } from '../../src/crypto/keyring.ts'
import { fixedRandom, flipped, realRandom, testKeyring } from './fixed.ts'

const rootKey = createSecretKey(randomBytes(32))
const aad = Buffer.from('aad')
const secret = Buffer.from('a secret')
const domainKey = (version: number, deployment = 'd') => ({
  version,
  wrapped: createDomainKey(rootKey, deployment, version, realRandom),
})

test('a domain key opens under its own root key, deployment and version', () => {
  const stored = domainKey(1)
  assert.equal(stored.wrapped.length, 60)
  assert.ok(openKeyring(rootKey, 'd', [stored], realRandom))
  const otherRoot = createSecretKey(randomBytes(32))
  assert.throws(() => openKeyring(otherRoot, 'd', [stored], realRandom), NotAuthentic)
  assert.throws(() => openKeyring(rootKey, 'e', [stored], realRandom), NotAuthentic)
  const renumbered = { ...stored, version: 2 }
  assert.throws(() => openKeyring(rootKey, 'd', [renumbered], realRandom), NotAuthentic)
})

test('a domain key with any byte changed or cut off does not open', () => {
  const { wrapped } = domainKey(1)
  for (let index = 0; index < wrapped.length; index += 1) {
    for (const changed of [flipped(wrapped, index), wrapped.subarray(0, index)]) {
      const stored = [{ version: 1, wrapped: changed }]
      assert.throws(() => openKeyring(rootKey, 'd', stored, realRandom), NotAuthentic)
    }
  }
})

test('no domain key, or one twice, is no keyring', () => {
  assert.throws(() => openKeyring(rootKey, 'd', [], realRandom), NotAuthentic)
  const twice = [domainKey(1), domainKey(1)]
  assert.throws(() => openKeyring(rootKey, 'd', twice, realRandom), NotAuthentic)
})

test('a domain key version is a whole number from 1', () => {
  for (const version of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => domainKey(version), RangeError)
  }
})

test('what was wrapped unwraps under its purpose, version and AAD only', () => {
  const keyring = testKeyring([1, 2])
  const { version, wrapped } = keyring.wrap('key-material', aad, secret)
  assert.equal(version, 2)
  assert.equal(wrapped.length, 12 + secret.length + 16)
  assert.deepEqual(keyring.unwrap('key-material', version, aad, wrapped), secret)
  const attempts = [
    () => keyring.unwrap('secret-access-key', version, aad, wrapped),
    () => keyring.unwrap('key-material', 1, aad, wrapped),
    () => keyring.unwrap('key-material', 3, aad, wrapped),
    () => keyring.unwrap('key-material', version, Buffer.from('other'), wrapped),
    () => testKeyring([1, 2]).unwrap('key-material', version, aad, wrapped),
  ]
  for (const attempt of attempts) assert.throws(attempt, NotAuthentic)
})

test('wrapped bytes with any byte changed or cut off do not unwrap', () => {
  const keyring = testKeyring()
  const { version, wrapped } = keyring.wrap('key-material', aad, secret)
  for (let index = 0; index < wrapped.length; index += 1) {
    const cut = wrapped.subarray(0, index)
    for (const changed of [flipped(wrapped, index), cut]) {
      assert.throws(() => keyring.unwrap('key-material', version, aad, changed), NotAuthentic)
    }
  }
})

test('what an older domain key wrapped and tagged still opens when there is a newer one', () => {
  const older = domainKey(1)
  const before = openKeyring(rootKey, 'd', [older], realRandom)
  const { version, wrapped } = before.wrap('key-material', aad, secret)
  const tag = before.tagRow(secret)
  const token = before.sealToken('marker', 's', secret)
  const after = openKeyring(rootKey, 'd', [domainKey(2), older], realRandom)
  assert.deepEqual(after.unwrap('key-material', version, aad, wrapped), secret)
  assert.ok(after.checkRowTag(secret, tag))
  assert.deepEqual(after.openToken('marker', 's', token), secret)
  assert.equal(after.wrap('key-material', aad, secret).version, 2)
})

test('a row tag is the version and the HMAC under a key derived for row tags', () => {
  const domain = Buffer.alloc(32, 3)
  const iv = Buffer.alloc(12, 4)
  const random = fixedRandom(Buffer.concat([domain, iv]))
  const stored = [{ version: 7, wrapped: createDomainKey(rootKey, 'd', 7, random) }]
  const keyring = openKeyring(rootKey, 'd', stored, realRandom)
  const key = Buffer.from(hkdfSync('sha256', domain, '', 'trent:row-tag:1', 32))
  const mac = createHmac('sha256', key).update(secret).digest('hex')
  assert.equal(Buffer.from(keyring.tagRow(secret)).toString('hex'), `00000007${mac}`)
})

test('a row tag fits its row and no other', () => {
  const keyring = testKeyring([1, 2])
  const tag = keyring.tagRow(secret)
  assert.equal(tag.length, 36)
  assert.ok(keyring.checkRowTag(secret, tag))
  assert.ok(!keyring.checkRowTag(Buffer.from('another row'), tag))
  for (let index = 0; index < tag.length; index += 1) {
    assert.ok(!keyring.checkRowTag(secret, flipped(tag, index)))
    assert.ok(!keyring.checkRowTag(secret, tag.subarray(0, index)))
  }
  assert.ok(!keyring.checkRowTag(secret, Buffer.concat([tag, Buffer.alloc(1)])))
})

test('any token comes back for its purpose and scope', () => {
  const keyring = testKeyring()
  const purpose = constantFrom<TokenPurpose>('marker', 'session', 'import', 'grant')
  check(
    property(purpose, string(), uint8Array(), (use, scope, payload) => {
      const token = keyring.sealToken(use, scope, payload)
      assert.match(token, /^[\w-]+$/)
      assert.deepEqual(keyring.openToken(use, scope, token), Buffer.from(payload))
    }),
  )
})

test('a token for another purpose, scope or deployment does not open', () => {
  const keyring = testKeyring()
  const token = keyring.sealToken('marker', 'list:1', secret)
  const attempts = [
    () => keyring.openToken('session', 'list:1', token),
    () => keyring.openToken('marker', 'list:2', token),
    () => testKeyring().openToken('marker', 'list:1', token),
  ]
  for (const attempt of attempts) assert.throws(attempt, NotAuthentic)
})

test('a token that is changed, cut, spelled otherwise or made up does not open', () => {
  const keyring = testKeyring()
  const token = keyring.sealToken('marker', 's', Buffer.from('x'))
  const bytes = Buffer.from(token, 'base64url')
  const open = (text: string) => () => keyring.openToken('marker', 's', text)
  for (let index = 0; index < bytes.length; index += 1) {
    assert.throws(open(flipped(bytes, index).toString('base64url')), NotAuthentic)
    assert.throws(open(bytes.subarray(0, index).toString('base64url')), NotAuthentic)
  }
  const spellings = [`${token}=`, ` ${token}`, `${token}!`, bytes.toString('base64') + '=', '', 'x']
  for (const text of spellings) assert.throws(open(text), NotAuthentic)
  assert.throws(open('A'.repeat(100_000)), NotAuthentic)
})

test('two tokens of one payload differ, and a payload too long to open is not sealed', () => {
  const keyring = testKeyring()
  const seal = (bytes: number) => keyring.sealToken('session', 's', Buffer.alloc(bytes))
  assert.notEqual(seal(4), seal(4))
  const longest = 16_384 * 0.75 - 37
  assert.equal(keyring.openToken('session', 's', seal(longest)).length, longest)
  assert.throws(() => seal(longest + 1), RangeError)
})
