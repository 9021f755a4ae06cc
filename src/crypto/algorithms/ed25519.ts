/**
 * Ed25519 over messages and Ed25519ph over digests. OpenSSL has both, `node:crypto` reaches the first
 * only, so the second is done by @noble/curves (ADR 0004): its time is not guaranteed to be
 * independent of the key, and the seed leaves its KeyObject while it runs. It goes the day `node:crypto`
 * takes Ed25519ph.
 *
 * The digest that the caller sends is the message M of Ed25519ph, and is hashed once more.
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

/** Loaded by the first call: it takes some 40 ms, and most processes never sign a digest so. */
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
      // The strict rules of RFC 8032 and not the lenient ones of ZIP 215.
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
