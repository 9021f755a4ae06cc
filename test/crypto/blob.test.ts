import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assert as check, constantFrom, dictionary, property, string, uint8Array } from 'fast-check'
import { blobBytes, encodeHeader, parseBlob, plaintextBytesMax } from '../../src/crypto/blob.ts'
import { materialIdOf } from '../../src/crypto/ciphertext-material.ts'
import type { BlobKind } from '../../src/crypto/blob.ts'
import { canonicalContext } from '../../src/crypto/encryption-context.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import { keyMaterialId } from '../../src/crypto/key-material-id.ts'
import { openMessage, sealMessage } from '../../src/crypto/symmetric.ts'
import { fixedRandom, flipped, realRandom } from './fixed.ts'

interface Vector {
  readonly comment: string
  readonly material: string
  readonly accountId: string
  readonly keyId: string
  readonly nonce: string
  readonly iv: string
  readonly kind: BlobKind
  readonly context: Readonly<Record<string, string>>
  readonly plaintext: string
  readonly keyMaterialId: string
  readonly canonicalContext: string
  readonly blob: string
}

const file = new URL('../vectors/ciphertext-blob.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: readonly Vector[] }

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const key = createSecretKey(Buffer.alloc(32, 7))
const material = { key, materialId: Buffer.alloc(32, 9) }
const noContext = canonicalContext({}) ?? assert.fail()
const someContext = canonicalContext({ a: 'b' }) ?? assert.fail()
const seal = (plaintext: Uint8Array, kind: BlobKind = 'ciphertext', context = noContext): Buffer =>
  sealMessage(material, kind, context, plaintext, realRandom)
const open = (bytes: Uint8Array, context = noContext): Buffer => {
  const blob = parseBlob(bytes)
  if (blob === undefined) throw new NotAuthentic('not a blob')
  return openMessage(material, blob, context)
}

test('the published vectors are there, and none was lost', () => {
  assert.ok(vectors.length >= 8)
})

test('the worked example of the specification is its vector', () => {
  const text = readFileSync(new URL('../../docs/ciphertext-blob.md', import.meta.url), 'utf8')
  const example = text.slice(text.indexOf('blob, 165 bytes') + 'blob, 165 bytes'.length)
  assert.equal(example.replaceAll(/\s/g, ''), vectors[1]?.blob)
})

for (const vector of vectors) {
  const opened = {
    key: createSecretKey(hex(vector.material)),
    materialId: hex(vector.keyMaterialId),
  }
  const context = hex(vector.canonicalContext)

  test(`vector seals to its bytes: ${vector.comment}`, () => {
    assert.equal(keyMaterialId(opened.key, vector).toString('hex'), vector.keyMaterialId)
    assert.equal(canonicalContext(vector.context)?.toString('hex'), vector.canonicalContext)
    const random = fixedRandom(Buffer.concat([hex(vector.nonce), hex(vector.iv)]))
    const sealed = sealMessage(opened, vector.kind, context, hex(vector.plaintext), random)
    assert.equal(sealed.toString('hex'), vector.blob)
  })

  test(`vector opens to its plaintext: ${vector.comment}`, () => {
    const blob = parseBlob(hex(vector.blob)) ?? assert.fail('not a blob')
    assert.equal(blob.kind, vector.kind)
    assert.equal(materialIdOf(hex(vector.blob)), vector.keyMaterialId)
    assert.equal(openMessage(opened, blob, context).toString('hex'), vector.plaintext)
  })
}

test('blobs have the lengths that the blobs of AWS are seen to have', () => {
  const recorded = [
    [13, 165],
    [22, 174],
    [27, 179],
    [32, 184],
    [48, 201],
    [1218, 1380],
    [2374, 2536],
    [4096, 4258],
  ] as const
  for (const [plaintextBytes, bytes] of recorded) {
    assert.equal(blobBytes(plaintextBytes), bytes)
    assert.equal(seal(Buffer.alloc(plaintextBytes)).length, bytes)
  }
})

test('blobs have the base64 prefixes that integrators look for', () => {
  assert.match(seal(Buffer.alloc(32)).toString('base64'), /^AQICAH/)
  assert.match(seal(Buffer.alloc(32), 'data-key').toString('base64'), /^AQIDAH/)
})

test('every length has one blob length, and parses back', () => {
  const fields = {
    kind: 'ciphertext',
    materialId: Buffer.alloc(32),
    nonce: Buffer.alloc(16),
  } as const
  const seen = new Set<number>()
  for (let length = 1; length <= plaintextBytesMax; length += 1) {
    const header = encodeHeader({ ...fields, iv: Buffer.alloc(12) }, length)
    const bytes = Buffer.concat([header, Buffer.alloc(11 + length + 16)])
    assert.equal(bytes.length, blobBytes(length))
    assert.equal(parseBlob(bytes)?.sealed.length, 27 + length)
    seen.add(bytes.length)
  }
  assert.equal(seen.size, plaintextBytesMax)
})

test('a blob has room for what an HSM adds to 4096 bytes, and not for more', () => {
  assert.throws(() => seal(Buffer.alloc(0)), RangeError)
  assert.equal(open(seal(Buffer.alloc(4096 + 12 + 16))).length, 4124)
  assert.throws(() => seal(Buffer.alloc(4125)), RangeError)
})

test('a blob with any bit of any byte flipped does not open', () => {
  for (const plaintextBytes of [1, 32, 52, 200]) {
    const blob = seal(Buffer.alloc(plaintextBytes, 5))
    assert.equal(open(blob).length, plaintextBytes)
    for (let index = 0; index < blob.length; index += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        assert.throws(() => open(flipped(blob, index, 1 << bit)), NotAuthentic, `byte ${index}`)
      }
    }
  }
})

test('a flip inside the material id names another material, any other in the header none or the same', () => {
  const blob = seal(Buffer.alloc(32))
  const headerBytes = blob.length - 59
  const named = materialIdOf(blob)
  for (let index = 0; index < blob.length; index += 1) {
    const other = materialIdOf(flipped(blob, index))
    if (index >= 5 && index < 37) {
      assert.match(other ?? '', /^[0-9a-f]{64}$/)
      assert.notEqual(other, named)
    } else {
      // Kind, nonce and IV may hold other bytes; the tag refuses them.
      const free = index === 2 || (index >= 38 && index < 54)
      const iv = index >= headerBytes - 2 - 3 - 12 && index < headerBytes - 2 - 3
      assert.equal(other, free || iv || index >= headerBytes ? named : undefined, `byte ${index}`)
    }
  }
})

test('a blob truncated at any length, or followed by a byte, is not a blob or does not open', () => {
  for (const plaintextBytes of [32, 130]) {
    const blob = seal(Buffer.alloc(plaintextBytes))
    for (let length = 0; length < blob.length; length += 1) {
      assert.equal(parseBlob(blob.subarray(0, length)), undefined)
      assert.equal(parseBlob(blob.subarray(blob.length - length)), undefined)
    }
    assert.equal(parseBlob(Buffer.concat([blob, Buffer.alloc(1)])), undefined)
  }
})

test('a length in a longer DER form than it needs is not a blob', () => {
  const blob = seal(Buffer.alloc(32))
  // The innermost length, `80 3b`, as `80 81 3b`: valid BER, and a byte more in all that is around it.
  const at = blob.length - 59 - 1
  const longer = Buffer.concat([blob.subarray(0, at), Buffer.of(0x81), blob.subarray(at)])
  for (const place of [57, 59, 72, 74, 79]) longer[place] = (longer[place] ?? 0) + 1
  assert.equal(parseBlob(longer), undefined)
})

test('a blob opens under its own material, id and context only', () => {
  const blob = seal(Buffer.from('secret'), 'ciphertext', someContext)
  const parsed = parseBlob(blob) ?? assert.fail()
  assert.equal(open(blob, someContext).toString(), 'secret')
  assert.throws(() => open(blob), NotAuthentic)
  const other = createSecretKey(Buffer.alloc(32, 8))
  assert.throws(() => openMessage({ ...material, key: other }, parsed, someContext), NotAuthentic)
  const otherId = { key, materialId: Buffer.alloc(32, 1) }
  assert.throws(() => openMessage(otherId, parsed, someContext), NotAuthentic)
})

test('two blobs of one plaintext share nothing but the material', () => {
  const [first, second] = [parseBlob(seal(Buffer.alloc(32))), parseBlob(seal(Buffer.alloc(32)))]
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual(first.materialId, second.materialId)
  assert.notDeepEqual(first.nonce, second.nonce)
  assert.notDeepEqual(first.iv, second.iv)
  assert.notDeepEqual(first.sealed, second.sealed)
})

test('arbitrary bytes are not a blob, whatever their length', () => {
  check(
    property(uint8Array({ maxLength: 5000 }), (bytes) => {
      assert.equal(parseBlob(bytes), undefined)
    }),
  )
})

test('any plaintext under any context comes back, and under no other context', () => {
  const contexts = dictionary(string({ unit: 'binary' }), string({ unit: 'binary' }))
  check(
    property(
      uint8Array({ minLength: 1, maxLength: 4096 }),
      contexts,
      contexts,
      constantFrom<BlobKind>('ciphertext', 'data-key'),
      (plaintext, context, other, kind) => {
        const canonical = canonicalContext(context) ?? assert.fail()
        const canonicalOther = canonicalContext(other) ?? assert.fail()
        const blob = seal(plaintext, kind, canonical)
        assert.deepEqual(open(blob, canonical), Buffer.from(plaintext))
        if (!canonical.equals(canonicalOther)) {
          assert.throws(() => open(blob, canonicalOther), NotAuthentic)
        }
      },
    ),
  )
})
