import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { counterKey, hkdf } from '../../src/crypto/derive.ts'
import { bytes, testVectors } from './algorithms/wycheproof.ts'

testVectors('hkdf_sha256', 86, ({ fields, result }) => {
  // Trent takes no salt; a vector that is invalid asks for more bytes than HKDF gives.
  if (bytes(fields, 'salt').length > 0 || result !== 'valid') return 'not applicable'
  const derived = hkdf(createSecretKey(bytes(fields, 'ikm')), bytes(fields, 'info'))
  const wanted = bytes(fields, 'okm')
  // HKDF's output of one length begins with that of any shorter one.
  const length = Math.min(derived.length, wanted.length)
  return derived.subarray(0, length).equals(wanted.subarray(0, length)) ? 'accepted' : 'refused'
})

test('the key of a message is that of another implementation of SP 800-108', () => {
  // Made with KBKDFHMAC of PyPI's cryptography 48.0.0, November 2026: counter mode, SHA-256, rlen = llen = 4.
  const expected = 'c743c2a2b39a721b939110c7f37285e153e1c92dc62d74e6839053990b362b82'
  const secret = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, at) => at)))
  const context = Buffer.from(Array.from({ length: 48 }, (_, at) => at))
  const parts = [context.subarray(0, 32), context.subarray(32)]
  const label = Buffer.from('trent:message-key:1')
  assert.equal(counterKey(secret, label, parts).toString('hex'), expected)
})
