/**
 * Measures signing and verifying, by message type, for every key spec that signs. RAW is OpenSSL's own, and the
 * floor for the methods of ADR 0004. ECDSA of digests is also measured with `@noble/curves`, the alternative.
 * Microseconds, p50, one core, warm. The calls are those of Sign and Verify, without the server.
 * @see docs/adr/0004-digest-signing.md
 * @module
 */
import { randomBytes } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  generateKeyPair,
  openMaterial,
  pairSpecs,
  publicKeyOf,
} from '../src/crypto/algorithms/key-forms.ts'
import { isSlow, sign, verify } from '../src/crypto/algorithms/sign.ts'
import { algorithms } from '../src/crypto/algorithms/table.ts'
import type { KeySpec } from '../src/model/key.ts'

/** Warm-up without timing; then the number of timed calls, and their maximal duration. */
const warmingMs = 300
const timed = 1000
const timedMsMax = 700

const curves = {
  ECC_NIST_P256: p256,
  ECC_NIST_P384: p384,
  ECC_NIST_P521: p521,
  ECC_SECG_P256K1: secp256k1,
} as const

function main(): void {
  print('key spec', 'algorithm', 'type', 'sign µs', 'verify µs', 'where')
  for (const spec of pairSpecs) measureSpec(spec)
}

function measureSpec(spec: KeySpec): void {
  const rows = algorithms.filter((row) => row.usage === 'SIGN_VERIFY' && row.fits(spec))
  if (rows.length === 0) return
  const privateKey = openMaterial(spec, generateKeyPair(spec).privateKey)
  const publicKey = publicKeyOf(privateKey)
  for (const row of rows) {
    if (row.usage !== 'SIGN_VERIFY') continue
    for (const [type, { messageBytes = 200 }] of row.methods) {
      const message = randomBytes(messageBytes)
      const signature = sign(row, privateKey, message, type)
      const lanes = (['sign', 'verify'] as const).map((action) =>
        isSlow(row, spec, type, action) ? 'thread' : 'loop',
      )
      print(
        spec,
        row.name,
        type,
        median(() => sign(row, privateKey, message, type)),
        median(() => verify(row, publicKey, message, type, signature)),
        lanes.join(', '),
      )
    }
  }
  if (spec in curves) measureNoble(spec as keyof typeof curves) // `in` says so
}

function measureNoble(spec: keyof typeof curves): void {
  const curve = curves[spec]
  const { secretKey, publicKey } = curve.keygen()
  const digest = randomBytes(spec === 'ECC_NIST_P521' ? 64 : spec === 'ECC_NIST_P384' ? 48 : 32)
  const options = { prehash: false, format: 'der', lowS: false } as const
  const signature = curve.sign(digest, secretKey, options)
  print(
    spec,
    '@noble/curves',
    'DIGEST',
    median(() => curve.sign(digest, secretKey, options)),
    median(() => curve.verify(signature, digest, publicKey, options)),
    '',
  )
}

/** Microseconds a call. */
function median(call: () => unknown): string {
  const warm = performance.now() + warmingMs
  while (performance.now() < warm) call()
  const times: number[] = []
  const end = performance.now() + timedMsMax
  while (times.length < timed && performance.now() < end) {
    const start = performance.now()
    call()
    times.push(performance.now() - start)
  }
  const middle = times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0
  return (1000 * middle).toFixed(0)
}

function print(...cells: readonly string[]): void {
  const widths = [22, 26, 12, 8, 10, 14]
  const padded = cells.map((cell, at) =>
    at === 3 || at === 4 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
  )
  process.stdout.write(`${padded.join(' ').trimEnd()}\n`)
}

main()
