import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assert as assertProperty, asyncProperty, integer, nat } from 'fast-check'
import { awsNitroRoot } from '../../../src/crypto/attestation/roots.ts'
import { verifyAttestation } from '../../../src/crypto/attestation/verify.ts'
import { attest, cbor, fieldsOf, pcr0, recipient, spki, wrap } from './attester.ts'
import { attester, minute, other, refused, rules } from './judging.ts'

test('a document with a chain to a configured root is accepted', async () => {
  for (const tagged of [false, true]) {
    const {
      moduleId,
      attester: kind,
      pcrs,
      publicKey,
    } = await verifyAttestation(
      attest(attester, {}, { tagged }),
      rules({ roots: [other.root.der, attester.root.der] }),
    )
    assert.equal(moduleId, 'i-0123456789abcdef0-enc0123456789abcdef')
    assert.equal(kind, 'enclave')
    assert.equal(pcrs.size, 16)
    assert.equal(pcrs.get(0), pcr0)
    assert.equal(pcrs.get(15), '0f'.repeat(48))
    assert.deepEqual(spki(publicKey), spki(recipient.publicKey))
  }
})

test('a document of an AWS enclave is proved by AWS’s root', async () => {
  // Made by AWS on 2025-01-06; from the tests of the crate nitro_attest 0.2.0, MIT.
  const path = new URL('../../vectors/attestation/nitro-enclave-2025-01-06.cose', import.meta.url)
  const bytes = readFileSync(path)
  const now = Date.UTC(2025, 0, 6, 16, 8)
  const roots = [awsNitroRoot()]
  const { moduleId, pcrs } = await verifyAttestation(bytes, rules({ roots, now }))
  assert.equal(moduleId, 'i-0bee92034f3d60691-enc01943c5eaab3ad6a')
  assert.equal(pcrs.get(0)?.slice(0, 32), '8bb159f202bb95d6d4d98e0e10391824')
  await assert.rejects(verifyAttestation(bytes, rules({ roots })), refused('it has expired'))
  await assert.rejects(
    verifyAttestation(bytes, rules({ now })),
    refused('its certificates do not begin at a trusted root'),
  )
})

test('the registers of a NitroTPM are not those of an enclave', async () => {
  const registers = fieldsOf(attester).get('pcrs')
  const bytes = attest(attester, { pcrs: undefined, nitrotpm_pcrs: registers })
  const { attester: kind, pcrs } = await verifyAttestation(bytes, rules())
  assert.equal(kind, 'nitro-tpm')
  assert.equal(pcrs.get(0), pcr0)
  const both = attest(attester, { nitrotpm_pcrs: registers })
  await assert.rejects(
    verifyAttestation(both, rules()),
    refused('its `pcrs` is missing or not as specified'),
  )
})

test('a document counts for five minutes around its time, and not a millisecond longer', async () => {
  const at = Date.now()
  const bytes = attest(attester, { timestamp: at })
  for (const now of [at - 5 * minute, at, at + 5 * minute]) {
    await verifyAttestation(bytes, rules({ now }))
  }
  const verifyAt = (now: number) => verifyAttestation(bytes, rules({ now }))
  await assert.rejects(verifyAt(at + 5 * minute + 1), refused('it has expired'))
  await assert.rejects(verifyAt(at - 5 * minute - 1), refused('it is from the future'))
})

const longest = Buffer.alloc(1024)

test('fields at their limits are taken', async () => {
  const registers = new Map(Array.from({ length: 32 }, (_, index) => [index, Buffer.alloc(32)]))
  for (const changes of [
    { user_data: longest, nonce: longest },
    { user_data: new Uint8Array(0), nonce: undefined },
    { pcrs: registers },
    { pcrs: new Map([[31, Buffer.alloc(64)]]) },
    { module_id: 'm'.repeat(256) },
    { public_key: spki(generateKeyPairSync('rsa', { modulusLength: 4096 }).publicKey) },
  ]) {
    await verifyAttestation(attest(attester, changes), rules())
  }
})

const register = Buffer.alloc(48)
const invalid = (field: string): string => `its \`${field}\` is missing or not as specified`
const weak = 'its public key is not an RSA key of 2048 to 4096 bits'
const { publicKey: small } = generateKeyPairSync('rsa', { modulusLength: 2040 })
const { publicKey: large } = generateKeyPairSync('rsa', { modulusLength: 4104 })
const { publicKey: pss } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
const { publicKey: three } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
const { publicKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const n = Buffer.alloc(256, 0xfe).toString('base64url')
const even = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' })

const wrongFields: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['no module id', { module_id: undefined }, invalid('module_id')],
  ['an empty module id', { module_id: '' }, invalid('module_id')],
  ['a long module id', { module_id: 'm'.repeat(257) }, invalid('module_id')],
  ['a module id in bytes', { module_id: Buffer.from('m') }, invalid('module_id')],
  ['no digest', { digest: undefined }, invalid('digest')],
  ['another digest', { digest: 'SHA256' }, invalid('digest')],
  ['no timestamp', { timestamp: undefined }, invalid('timestamp')],
  ['a timestamp of 0', { timestamp: 0 }, invalid('timestamp')],
  ['a timestamp in text', { timestamp: '1' }, invalid('timestamp')],
  ['no registers', { pcrs: undefined }, invalid('pcrs')],
  ['an empty map of registers', { pcrs: new Map() }, invalid('pcrs')],
  ['a list of registers', { pcrs: [register] }, invalid('pcrs')],
  ['register 32', { pcrs: new Map([[32, register]]) }, invalid('pcrs')],
  ['register -1', { pcrs: new Map([[-1, register]]) }, invalid('pcrs')],
  ['a register with a name', { pcrs: new Map([['0', register]]) }, invalid('pcrs')],
  ['a register of 47 bytes', { pcrs: new Map([[0, Buffer.alloc(47)]]) }, invalid('pcrs')],
  ['a register in text', { pcrs: new Map([[0, 'a'.repeat(48)]]) }, invalid('pcrs')],
  ['no certificate', { certificate: undefined }, invalid('certificate')],
  ['an empty certificate', { certificate: new Uint8Array(0) }, invalid('certificate')],
  ['a long certificate', { certificate: Buffer.alloc(1025) }, invalid('certificate')],
  ['no bundle', { cabundle: undefined }, invalid('cabundle')],
  ['an empty bundle', { cabundle: [] }, invalid('cabundle')],
  ['a bundle of text', { cabundle: ['a'] }, invalid('cabundle')],
  ['a bundle of 9', { cabundle: Array(9).fill(attester.root.der) }, invalid('cabundle')],
  ['no public key', { public_key: undefined }, 'it has no public key'],
  ['a null public key', { public_key: null }, 'it has no public key'],
  ['an empty public key', { public_key: new Uint8Array(0) }, invalid('public_key')],
  ['a long public key', { public_key: Buffer.alloc(1025) }, invalid('public_key')],
  ['a public key that is none', { public_key: Buffer.alloc(294) }, weak],
  ['an RSA key of 2040 bits', { public_key: spki(small) }, weak],
  ['an RSA key of 4104 bits', { public_key: spki(large) }, weak],
  ['an RSA-PSS key', { public_key: spki(pss) }, weak],
  ['the exponent 3', { public_key: spki(three) }, weak],
  ['an EC key', { public_key: spki(curve) }, weak],
  ['an even modulus', { public_key: spki(even) }, weak],
  [
    'a byte behind the public key',
    { public_key: Buffer.concat([spki(recipient.publicKey), Buffer.of(0)]) },
    weak,
  ],
  ['long user data', { user_data: Buffer.alloc(1025) }, invalid('user_data')],
  ['user data in text', { user_data: 'a' }, invalid('user_data')],
  ['a long nonce', { nonce: Buffer.alloc(1025) }, invalid('nonce')],
  ['a number for a nonce', { nonce: 1 }, invalid('nonce')],
  ['a field of its own', { more: 1 }, 'it has a field that is not specified'],
]

for (const [name, changes, reason] of wrongFields) {
  test(`a signed document with ${name} is refused`, async () => {
    await assert.rejects(verifyAttestation(attest(attester, changes), rules()), refused(reason))
  })
}

test('whatever is changed after signing is refused', async () => {
  const good = fieldsOf(attester)
  const signedPayload = cbor(good)
  const changes: readonly (readonly [string, unknown])[] = [
    ['module_id', 'another'],
    ['timestamp', Number(good.get('timestamp')) - 1],
    ['pcrs', new Map([[0, register]])],
    ['public_key', spki(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)],
    ['user_data', Buffer.from('a')],
    ['nonce', Buffer.from('a')],
  ]
  for (const [name, value] of changes) {
    const payload = cbor(new Map([...good, [name, value]]))
    const bytes = wrap(payload, attester, { signedPayload })
    await assert.rejects(
      verifyAttestation(bytes, rules()),
      refused('its signature does not verify'),
      name,
    )
  }
})

test('no document with a bit changed anywhere is taken', async () => {
  const bytes = attest(attester)
  await assertProperty(
    asyncProperty(nat({ max: bytes.length - 1 }), integer({ min: 0, max: 7 }), async (at, bit) => {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      const verified = verifyAttestation(changed, rules())
      await assert.rejects(verified, { code: 'ValidationException' })
    }),
    { numRuns: 150 },
  )
})

test('a document of another root is refused, and one that brings its own', async () => {
  const foreign = refused('its certificates do not begin at a trusted root')
  await assert.rejects(verifyAttestation(attest(other), rules()), foreign)
  const cabundle = [other.root.der, attester.root.der, attester.intermediate.der]
  await assert.rejects(verifyAttestation(attest(attester, { cabundle }), rules()), foreign)
  await assert.rejects(verifyAttestation(attest(attester), rules({ roots: [] })), foreign)
})

test('a signature by another key, or under another header, is refused', async () => {
  const unproved = refused('its signature does not verify')
  const { privateKey: signWith } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  await assert.rejects(verifyAttestation(attest(attester, {}, { signWith }), rules()), unproved)
  for (const header of [
    new Map([[1, -7]]),
    new Map([[1, -36]]),
    new Map([[1, 'ES384']]),
    new Map([['alg', -35]]),
    new Map([[1, -35], [2, -35]]), // prettier-ignore
    new Map(),
    [1, -35],
  ]) {
    const bytes = attest(attester, {}, { header: cbor(header) })
    await assert.rejects(
      verifyAttestation(bytes, rules()),
      refused('its algorithm is not ES384 alone'),
    )
  }
  await assert.rejects(
    verifyAttestation(attest(attester, {}, { unprotected: new Map([[4, 1]]) }), rules()),
    refused('its unprotected header is not an empty map'),
  )
})
