import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as assertProperty, object, property, sample, uint8Array } from 'fast-check'
import { encode, Tagged } from 'cborg'
import { loadCbor } from '../../../src/crypto/attestation/cbor.ts'
import { readDocument } from '../../../src/crypto/attestation/document.ts'
import { KmsError } from '../../../src/errors.ts'
import { attest, cbor, createAttester, fieldsOf, wrap } from './attester.ts'

const decode = await loadCbor()
const attester = await createAttester()
const good = attest(attester)
const read = (bytes: Uint8Array): unknown => readDocument(bytes, decode)

const refused = (reason: string): object => ({
  code: 'ValidationException',
  message: `the attestation document is refused: ${reason}`,
})
const malformed = refused('its CBOR is malformed')
const notSigned = refused('it is not a COSE_Sign1')

test('a document cut off anywhere is refused', () => {
  read(good)
  for (let end = 0; end < good.length; end += 1) {
    assert.throws(() => read(good.subarray(0, end)), malformed)
  }
})

test('bytes behind a document are refused', () => {
  for (const behind of [[0x00], [0xf6], [0xff], [...good]]) {
    assert.throws(() => read(Uint8Array.from([...good, ...behind])), malformed)
  }
})

const whole = 262_144
const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte)

test('bombs are refused before they are unpacked', () => {
  assert.throws(() => read(filled(0x81, whole)), refused('it is too long'))
  // Lists in lists, maps in maps, tags on tags, byte strings of indefinite length in each other.
  for (const byte of [0x81, 0x9f, 0xa1, 0xbf, 0xd2, 0x5f, 0x7f]) {
    for (const length of [257, 16_000]) assert.throws(() => read(filled(byte, length)), malformed)
  }
  // Lengths longer than the content: list, map, byte string, text.
  for (const promise of ['9affffffff', 'bbffffffffffffffff', '5affffffff', '7b0000ffffffffffff']) {
    assert.throws(() => read(Buffer.from(promise, 'hex')), malformed)
  }
})

test('bombs inside the payload are refused', async () => {
  for (const byte of [0x81, 0xa1, 0x9f, 0xbf, 0xc1]) {
    const bytes = wrap(filled(byte, 16_384), attester)
    assert.throws(() => read(bytes), malformed)
  }
  const many = new Map(Array.from({ length: 2000 }, (_, index) => [index, index]))
  const bytes = wrap(cbor(many), attester)
  assert.throws(() => read(bytes), malformed)
})

test('a payload is at most 16384 bytes long, and not empty', async () => {
  const bytes = wrap(filled(0, 16_385), attester)
  assert.throws(() => read(bytes), notSigned)
  const empty = wrap(new Uint8Array(0), attester)
  assert.throws(() => read(empty), notSigned)
  const longest = wrap(filled(0x61, 16_384), attester)
  assert.throws(() => read(longest), malformed)
})

/** The payload with one piece of its CBOR replaced. */
function patched(from: string, to: string): Uint8Array {
  const payload = Buffer.from(cbor(fieldsOf(attester))).toString('hex')
  assert(payload.includes(from))
  return wrap(Buffer.from(payload.replace(from, to), 'hex'), attester)
}

const digest = `66${Buffer.from('digest').toString('hex')}`
const sha384 = `66${Buffer.from('SHA384').toString('hex')}`

for (const [name, from, to] of [
  ['a field twice', 'a9', `aa${digest}${sha384}`],
  ['a map of indefinite length', 'a9', 'bf'],
  ['a text of indefinite length', sha384, `7f${sha384}ff`],
  ['a length that is not the shortest', sha384, `7806${sha384.slice(2)}`],
  ['a register twice', 'b0005830', 'b1015830'.concat('00'.repeat(48), '005830')],
  ['a float for an index', 'b0005830', 'b0f900005830'],
  ['undefined', '656e6f6e6365f6', '656e6f6e6365f7'],
  ['a tag', sha384, `c1${sha384}`],
] as const) {
  test(`a payload with ${name} is refused`, async () => {
    const bytes = patched(from, to)
    assert.throws(() => read(bytes), malformed)
  })
}

test('a number beyond 2^53 is refused', async () => {
  const bytes = attest(attester, { timestamp: 2n ** 60n })
  assert.throws(() => read(bytes), malformed)
})

test('what is no COSE_Sign1 is refused', () => {
  const bytes = Buffer.from('a')
  for (const value of [
    {},
    [],
    [bytes, {}, bytes],
    [bytes, {}, bytes, bytes, bytes],
    ['a', {}, bytes, bytes],
    [bytes, {}, 'a', bytes],
    [bytes, {}, null, bytes],
    null,
    'text',
    1,
  ]) {
    assert.throws(() => read(encode(value)), notSigned)
  }
  assert.throws(() => read(encode(new Tagged(98, []))), malformed)
  assert.throws(
    () => read(encode([bytes, {}, bytes, Buffer.alloc(95)])),
    refused('its signature is not of ES384'),
  )
  assert.throws(
    () => read(encode([bytes, [], bytes, Buffer.alloc(96)])),
    refused('its unprotected header is not an empty map'),
  )
})

test('arbitrary bytes are refused', () => {
  assertProperty(
    property(uint8Array({ maxLength: 400 }), (bytes) => {
      assert.throws(() => read(bytes), KmsError)
    }),
    { numRuns: 2000 },
  )
})

test('a payload of arbitrary CBOR is refused', async () => {
  const payloads = sample(object({ maxDepth: 4 }), { numRuns: 200, seed: 7 })
  for (const payload of payloads) {
    const bytes = wrap(encode(payload, { ignoreUndefinedProperties: true }), attester)
    assert.throws(() => read(bytes), KmsError)
  }
})
