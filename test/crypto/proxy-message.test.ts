import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { OuterParts } from '../../src/crypto/external-message.ts'
import { keyMaterialId } from '../../src/crypto/key-material-id.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import {
  integrityValue,
  openForProxy,
  proxyAad,
  sealForProxy,
  shortMaterialIdOf,
} from '../../src/crypto/proxy-message.ts'

/** Hex, but for the names of the key. */
interface Vector {
  readonly accountId: string
  readonly keyId: string
  readonly material: string
  readonly materialId: string
  /** Nonce and IV. */
  readonly random: string
  readonly aad: string
  readonly plaintext: string
  readonly metadata: string
  readonly iv: string
  readonly ciphertext: string
  readonly tag: string
  readonly integrityValue: string
}

const file = new URL('../vectors/xks-proxy-ciphertext.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]
const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const random = { bytes: (length: number) => randomBytes(length), uuid: () => '' }

test('each vector, made by another program from the document, is made and opened as it is stored', () => {
  assert(vectors.length >= 3)
  for (const vector of vectors) {
    const key = createSecretKey(hex(vector.material))
    assert.equal(shown(keyMaterialId(key, vector)), vector.materialId)
    const material = { key, materialId: hex(vector.materialId) }
    const fixed = { ...random, bytes: () => hex(vector.random) }
    const [aad, plaintext] = [hex(vector.aad), hex(vector.plaintext)]
    const parts = sealForProxy(material, aad, plaintext, fixed)
    for (const name of ['ciphertext', 'iv', 'tag', 'metadata'] as const) {
      assert.equal(shown(parts[name]), vector[name], name)
    }
    assert.equal(shown(integrityValue(aad, parts)), vector.integrityValue)
    assert.equal(shortMaterialIdOf(parts), vector.materialId.slice(0, 14))
    assert.deepEqual(openForProxy(material, aad, parts), plaintext)
  }
})

/**
 * The example of Encrypt, and of the integrity value in Appendix C.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 */
const example = {
  aad: Buffer.from('project=nile,department=marketing'),
  parts: {
    metadata: Buffer.from('a2V5X3ZlcnNpb249MQ==', 'base64'),
    iv: Buffer.from('HMrlRw85cAJUd5Ax', 'base64'),
    ciphertext: Buffer.from('ghxkK1txeDNn3q8Y', 'base64'),
    tag: Buffer.from('vBxN2ncH1oEkR8WVXpmyYQ==', 'base64'),
  },
} as const

test('the integrity value of the worked example of the specification is the one that it prints', () => {
  const { aad, parts } = example
  const value = integrityValue(aad, parts)
  assert.equal(shown(value), 'a8703f2260bd8791ec2d15ea0b23e65a0631eedcf2a13a65cc82db3f47cf5ec7')
  assert.equal(
    Buffer.from(value).toString('base64'),
    'qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=',
  )
  assert.equal(shortMaterialIdOf(parts), undefined)
})

test('additional data and metadata are authenticated with their lengths', () => {
  const { aad, parts } = example
  assert.deepEqual(
    proxyAad(aad, parts.metadata),
    Buffer.concat([hex('0021'), aad, hex('0d'), parts.metadata]),
  )
  assert.deepEqual(proxyAad(new Uint8Array(0), new Uint8Array(0)), hex('000000'))
  assert.equal(proxyAad(Buffer.alloc(8192), parts.metadata).readUInt16BE(), 8192)
})

test('any changed part, additional data or material does not open', () => {
  const material = { key: createSecretKey(randomBytes(32)), materialId: randomBytes(32) }
  const aad = Buffer.from('aad')
  const parts = sealForProxy(material, aad, Buffer.from('secret'), random)
  const flipped = (bytes: Uint8Array, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  for (const name of ['ciphertext', 'iv', 'tag', 'metadata'] as const) {
    for (let at = 0; at < parts[name].length; at += 1) {
      const changed: OuterParts = { ...parts, [name]: flipped(parts[name], at) }
      assert.throws(() => openForProxy(material, aad, changed), NotAuthentic, `${name} ${at}`)
    }
  }
  assert.throws(() => openForProxy(material, flipped(aad, 0), parts), NotAuthentic)
  const others = [
    { ...material, key: createSecretKey(randomBytes(32)) },
    { ...material, materialId: flipped(material.materialId, 31) },
  ]
  for (const other of others) assert.throws(() => openForProxy(other, aad, parts), NotAuthentic)
})
