import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyAttestation } from '../../../src/crypto/attestation/verify.ts'
import { attest, issue, type Ordered } from './attester.ts'
import { attester, minute, other, refused, rules } from './judging.ts'

/** A document with the given intermediate and signer. */
async function chained(
  intermediate: Partial<Ordered>,
  signer: Partial<Ordered> = {},
  timestamp = Date.now(),
): Promise<Uint8Array> {
  const { root } = attester
  const middle = await issue({ name: 'middle', issuer: root, ...intermediate })
  const leaf = await issue({ name: 'leaf', issuer: middle, authority: false, ...signer })
  const cabundle = [root.der, middle.der]
  const certificate = leaf.der
  return attest({ ...attester, signer: leaf }, { timestamp, cabundle, certificate })
}

test('certificates count at the time of the document', async () => {
  const now = Date.now()
  await verifyAttestation(await chained({}, { from: now - minute, to: now + minute }), rules())
  const stale = refused('one of its certificates was not valid at the time of the document')
  for (const order of [
    { from: now - 9 * minute, to: now - minute },
    { from: now + minute, to: now + 9 * minute },
  ]) {
    await assert.rejects(verifyAttestation(await chained(order), rules()), stale)
    await assert.rejects(verifyAttestation(await chained({}, order), rules()), stale)
  }
  // Expired since, but in force when the document was made.
  const expired = { from: now - 9 * minute, to: now - minute }
  await verifyAttestation(await chained(expired, expired, now - 2 * minute), rules())
})

const authority = refused('one of its certificates is not of a certificate authority')
const link = refused('its certificates do not lead from one to the next')
const unknown = refused('one of its certificates has extensions that are not supported')
const signer = refused('its own certificate is not of an ES384 signer')

const wrongChains: readonly (readonly [string, Partial<Ordered>, Partial<Ordered>, object])[] = [
  ['an intermediate that is no authority', { authority: false, usage: 0x06 }, {}, authority],
  ['an intermediate without constraints', { authority: null, usage: 0x06 }, {}, authority],
  ['an intermediate that may not sign certificates', { usage: 0x80 }, {}, authority],
  ['an intermediate without a key usage', { usage: null }, {}, authority],
  ['an intermediate signed with SHA-1', { hash: 'SHA-1' }, {}, link],
  ['an intermediate signed by another', { issuer: other.root, issuerName: 'test root' }, {}, link],
  ['a signer that names another issuer', {}, { issuerName: 'nobody' }, link],
  ['a signer that another signed', {}, { issuer: other.intermediate, issuerName: 'middle' }, link],
  ['an unknown critical extension', { unknown: 'critical' }, {}, unknown],
  ['an unknown critical extension of the signer', {}, { unknown: 'critical' }, unknown],
  ['an authority as signer', {}, { authority: true, usage: 0x86 }, signer],
  ['a signer that may not sign', {}, { usage: 0x20 }, signer],
  ['a signer without a key usage', {}, { usage: null }, signer],
]

for (const [name, intermediate, leaf, error] of wrongChains) {
  test(`a chain with ${name} is refused`, async () => {
    await assert.rejects(verifyAttestation(await chained(intermediate, leaf), rules()), error)
  })
}

test('a chain with extensions that nobody need understand is taken', async () => {
  const bytes = await chained({ unknown: 'harmless' }, { unknown: 'harmless', authority: null })
  await verifyAttestation(bytes, rules())
})

test('a chain with an extension twice is refused', async () => {
  await assert.rejects(verifyAttestation(await chained({ twice: true }), rules()), link)
})

test('a chain is as long as its authorities allow', async () => {
  const build = async (pathLength: number): Promise<Uint8Array> => {
    const { root } = attester
    const upper = await issue({ name: 'upper', issuer: root, pathLength })
    const lower = await issue({ name: 'lower', issuer: upper, curve: 'P-256' })
    const leaf = await issue({ name: 'leaf', issuer: lower, authority: false })
    const cabundle = [root.der, upper.der, lower.der]
    return attest({ ...attester, signer: leaf }, { cabundle, certificate: leaf.der })
  }
  await verifyAttestation(await build(1), rules())
  await assert.rejects(
    verifyAttestation(await build(0), rules()),
    refused('its chain is longer than one of its certificates allows'),
  )
})

test('certificates in another order, malformed, or with bytes behind them are refused', async () => {
  const { root, intermediate, signer: own } = attester
  const malformed = refused('one of its certificates is malformed')
  const tooLong = refused('its chain is longer than one of its certificates allows')
  for (const [changes, error] of [
    [{ cabundle: [root.der] }, link],
    [{ cabundle: [root.der, root.der, intermediate.der, intermediate.der] }, tooLong],
    [{ cabundle: [root.der, Buffer.alloc(300)] }, malformed],
    [{ certificate: Buffer.concat([own.der, Buffer.of(0)]) }, malformed],
    [{ certificate: pem(own.der) }, malformed],
    [{ certificate: own.der.subarray(0, -1) }, malformed],
  ] as const) {
    await assert.rejects(verifyAttestation(attest(attester, changes), rules()), error)
  }
})

function pem(der: Uint8Array): Buffer {
  const text = Buffer.from(der).toString('base64')
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`)
}

test('a signer on another curve is refused', async () => {
  const leaf = await issue({
    name: 'leaf',
    issuer: attester.intermediate,
    authority: false,
    curve: 'P-256',
  })
  // A signature of 64 bytes would not be read as one of ES384.
  const bytes = attest(attester, { certificate: leaf.der })
  await assert.rejects(verifyAttestation(bytes, rules()), signer)
})
