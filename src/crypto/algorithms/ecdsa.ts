/**
 * ECDSA over messages and digests. Signatures are DER, without low-S normalization. OpenSSL signs
 * messages itself; `ecdsa-digest.ts` signs digests.
 *
 * Measured, p50 in ms, for P-256, secp256k1, P-384 and P-521: RAW sign 0.02, 0.29, 0.60, 1.4 and
 * verify 0.05, 0.25, 0.49, 1.1; DIGEST sign 0.10, 0.39, 0.75, 1.7 and verify 0.14, 0.62, 1.2, 2.7.
 * @see FIPS 186-5 §6
 * @module
 */
import { sign, verify } from 'node:crypto'
import { signDigest, verifyDigest } from './ecdsa-digest.ts'
import type { HashFunction } from './hashes.ts'
import type { MessageType, SignatureMethod } from './signature-method.ts'

export function ecdsaMethods(hash: HashFunction): ReadonlyMap<MessageType, SignatureMethod> {
  const raw: SignatureMethod = {
    slow: { sign: ['ECC_NIST_P521'], verify: ['ECC_NIST_P521'] },
    sign: (key, message) => sign(hash.name, message, { key, dsaEncoding: 'der' }),
    verify: (key, message, signature) =>
      verify(hash.name, message, { key, dsaEncoding: 'der' }, signature),
  }
  const digest: SignatureMethod = {
    messageBytes: hash.bytes,
    slow: { sign: ['ECC_NIST_P521'], verify: ['ECC_NIST_P384', 'ECC_NIST_P521'] },
    sign: (key, message) => signDigest(hash, key, message),
    verify: (key, message, signature) => verifyDigest(hash, key, message, signature),
  }
  return new Map([
    ['RAW', raw],
    ['DIGEST', digest],
  ])
}
