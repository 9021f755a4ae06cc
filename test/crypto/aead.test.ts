import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWithIv, sealWithIv } from '../../src/crypto/aead.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { bytes, testVectors } from './algorithms/wycheproof.ts'

testVectors('aes_gcm', 316, ({ group, fields, result }) => {
  // Trent knows one size of each; the file has others.
  if (group['keySize'] !== 256 || group['ivSize'] !== 96 || group['tagSize'] !== 128) {
    return 'not applicable'
  }
  const [key, iv, aad, message] = [
    bytes(fields, 'key'),
    bytes(fields, 'iv'),
    bytes(fields, 'aad'),
    bytes(fields, 'msg'),
  ]
  const sealed = Buffer.concat([bytes(fields, 'ct'), bytes(fields, 'tag')])
  if (result === 'valid') assert.deepEqual(sealWithIv(key, iv, aad, message), sealed)
  try {
    assert.deepEqual(openWithIv(key, iv, aad, sealed), message)
    return 'accepted'
  } catch (error) {
    assert(error instanceof NotAuthentic)
    return 'refused'
  }
})

test('the system port gives bytes of the asked length and version 4 UUIDs', () => {
  assert.equal(systemRandom.bytes(33).length, 33)
  assert.notDeepEqual(systemRandom.bytes(16), systemRandom.bytes(16))
  assert.match(
    systemRandom.uuid(),
    /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  )
})
