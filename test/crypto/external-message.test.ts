import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseBlob } from '../../src/crypto/blob.ts'
import { canonicalContext } from '../../src/crypto/encryption-context.ts'
import {
  encodeExternal,
  openInner,
  outerAad,
  parseExternal,
  sealInner,
} from '../../src/crypto/external-message.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'

interface Vector {
  readonly material: string
  readonly materialId: string
  readonly kind: 'ciphertext' | 'data-key'
  /** Nonce and IV. */
  readonly random: string
  readonly context: Readonly<Record<string, string>>
  readonly plaintext: string
  readonly header: string
  readonly inner: string
  readonly aad: string
  readonly outer: {
    readonly ciphertext: string
    readonly iv: string
    readonly tag: string
    readonly metadata: string
  }
  readonly blob: string
}

const file = new URL('../vectors/external-ciphertext.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]
const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const random = { bytes: (length: number) => randomBytes(length), uuid: () => '' }
const materialOf = ({ material, materialId }: Pick<Vector, 'material' | 'materialId'>) => ({
  key: createSecretKey(hex(material)),
  materialId: hex(materialId),
})
const contextOf = (pairs: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(canonicalContext(pairs) ?? assert.fail('no canonical form'))

test('each vector is made, joined and opened as it is stored', () => {
  assert(vectors.length >= 3)
  for (const vector of vectors) {
    const context = contextOf(vector.context)
    const fixed = { ...random, bytes: () => hex(vector.random) }
    const material = materialOf(vector)
    const inner = sealInner(material, vector.kind, context, Buffer.from(vector.plaintext), fixed)
    assert.equal(Buffer.from(inner.header).toString('hex'), vector.header)
    assert.equal(Buffer.from(inner.sealed).toString('hex'), vector.inner)
    assert.equal(outerAad(inner.header, context).toString('hex'), vector.aad)
    const { ciphertext, iv, tag, metadata } = vector.outer
    const outer = {
      ciphertext: hex(ciphertext),
      iv: hex(iv),
      tag: hex(tag),
      metadata: hex(metadata),
    }
    assert.equal(encodeExternal(inner.header, outer).toString('hex'), vector.blob)
    const parsed = parseExternal(hex(vector.blob))
    assert(parsed)
    assert.deepEqual(Buffer.from(parsed.outer.ciphertext), outer.ciphertext)
    assert.deepEqual(Buffer.from(parsed.outer.iv), outer.iv)
    assert.deepEqual(Buffer.from(parsed.outer.tag), outer.tag)
    assert.deepEqual(Buffer.from(parsed.outer.metadata), outer.metadata)
    const opened = openInner(material, { header: parsed.header, sealed: inner.sealed }, context)
    assert.equal(opened.toString(), vector.plaintext)
  }
})

test('a changed header, inner ciphertext, context or material does not open', () => {
  const context = contextOf({ a: 'b' })
  const material = { key: createSecretKey(randomBytes(32)), materialId: randomBytes(32) }
  const { header, sealed } = sealInner(material, 'data-key', context, Buffer.from('x'), random)
  const flipped = (bytes: Uint8Array, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  for (let at = 0; at < header.length; at += 1) {
    const changed = { header: flipped(header, at), sealed }
    assert.throws(() => openInner(material, changed, context), NotAuthentic)
    assert.notDeepEqual(outerAad(changed.header, context), outerAad(header, context))
  }
  for (let at = 0; at < sealed.length; at += 1) {
    assert.throws(
      () => openInner(material, { header, sealed: flipped(sealed, at) }, context),
      NotAuthentic,
    )
  }
  assert.throws(() => openInner(material, { header, sealed }, contextOf({})), NotAuthentic)
  const other = { ...material, key: createSecretKey(randomBytes(32)) }
  assert.throws(() => openInner(other, { header, sealed }, context), NotAuthentic)
})

test('bytes of another structure are no such ciphertext', () => {
  for (const { blob } of vectors) {
    const bytes = hex(blob)
    assert.equal(parseBlob(bytes), undefined)
    const ivLength = bytes[66] ?? 0
    const metadataAt = 67 + ivLength + 16
    // Prefix, kind, constants, version, and the two lengths.
    for (const at of [0, 1, 2, 3, 4, 37, 66]) {
      const changed = Buffer.from(bytes)
      changed[at] = 0xff
      assert.equal(parseExternal(changed), undefined, `byte ${at}`)
    }
    const long = Buffer.from(bytes)
    long[metadataAt] = 21
    assert.equal(parseExternal(long), undefined)
    for (let length = 0; length <= metadataAt; length += 1) {
      assert.equal(parseExternal(bytes.subarray(0, length)), undefined)
    }
    const grown = Buffer.concat([bytes, Buffer.alloc(4096)])
    assert.equal(parseExternal(grown), undefined)
  }
})
