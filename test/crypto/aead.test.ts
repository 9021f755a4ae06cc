import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openWithIv, sealWithIv } from '../../src/crypto/aead.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'

interface Wycheproof {
  readonly testGroups: readonly {
    readonly ivSize: number
    readonly keySize: number
    readonly tagSize: number
    readonly tests: readonly {
      readonly tcId: number
      readonly key: string
      readonly iv: string
      readonly aad: string
      readonly msg: string
      readonly ct: string
      readonly tag: string
      readonly result: 'valid' | 'invalid' | 'acceptable'
    }[]
  }[]
}

const file = new URL('../../../shared/vectors/wycheproof/aes_gcm_test.json', import.meta.url)
const absent = existsSync(file) ? false : 'the Wycheproof vectors are not beside the checkout'

test('AES-256-GCM agrees with Wycheproof', { skip: absent }, () => {
  const { testGroups } = JSON.parse(readFileSync(file, 'utf8')) as Wycheproof
  const ours = testGroups.filter(
    (group) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128,
  )
  const vectors = ours.flatMap((group) => group.tests)
  assert.ok(vectors.length > 20)
  for (const vector of vectors) {
    const [key, iv, aad, message] = [vector.key, vector.iv, vector.aad, vector.msg].map((text) =>
      Buffer.from(text, 'hex'),
    ) as [Buffer, Buffer, Buffer, Buffer]
    const sealed = Buffer.from(vector.ct + vector.tag, 'hex')
    if (vector.result === 'valid') {
      assert.deepEqual(sealWithIv(key, iv, aad, message), sealed, `test ${vector.tcId}`)
      assert.deepEqual(openWithIv(key, iv, aad, sealed), message, `test ${vector.tcId}`)
    } else {
      assert.throws(() => openWithIv(key, iv, aad, sealed), NotAuthentic, `test ${vector.tcId}`)
    }
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
