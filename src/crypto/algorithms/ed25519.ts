/**
 * Ed25519 over messages and Ed25519ph over digests. `node:crypto` offers only Ed25519, so
 * @noble/curves does Ed25519ph (ADR 0004). Accepted risk: its running time may depend on the key,
 * and the seed is outside its KeyObject while it runs. Replace it once `node:crypto` offers
 * Ed25519ph.
 *
 * The digest that the caller sends is the message M of Ed25519ph, which hashes it once more.
 *
 * Measured, p50 in ms: Ed25519 sign 0.03, verify 0.08; Ed25519ph sign 0.38, verify 0.81.
 * @see RFC 8032 §5.1; FIPS 186-5 §7.8
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import type * as Library from '@noble/curves/ed25519.js'
import type { MessageType, SignatureMethod } from './signature-method.ts'

/**
 * Loaded by the first call: loading takes about 40 ms, and most processes never sign such a digest.
 */
function ed25519ph(): typeof Library.ed25519ph {
  return (load('@noble/curves/ed25519.js') as typeof Library).ed25519ph
}

const load = createRequire(import.meta.url)

const signatureBytes = 64

const pure: SignatureMethod = {
  slow: { sign: [], verify: [] },
  sign: (key, message) => sign(null, message, key),
  verify: (key, message, signature) => verify(null, message, key, signature),
}

const prehashed: SignatureMethod = {
  messageBytes: 64,
  slow: { sign: ['ECC_NIST_EDWARDS25519'], verify: ['ECC_NIST_EDWARDS25519'] },
  sign: signPrehashed,
  verify: (key, message, signature) =>
    signature.length === signatureBytes &&
    ed25519ph().verify(signature, message, key.export({ format: 'raw-public' }), {
      // The strict rules of RFC 8032, not the lenient ones of ZIP 215.
      zip215: false,
    }),
}

function signPrehashed(key: KeyObject, message: Uint8Array): Buffer {
  const seed = key.export({ format: 'raw-private' })
  try {
    return Buffer.from(ed25519ph().sign(message, seed))
  } finally {
    seed.fill(0)
  }
}

export const ed25519Methods: ReadonlyMap<MessageType, SignatureMethod> = new Map([['RAW', pure]])
export const ed25519phMethods: ReadonlyMap<MessageType, SignatureMethod> = new Map([
  ['DIGEST', prehashed],
])
