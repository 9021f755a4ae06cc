/**
 * Signed statements of a deployment about its audit log. The Ed25519 key is derived from a domain key: its
 * seed is HKDF-SHA-256(domain key, "trent:statement:1"). The signature covers
 *
 *     "trent:" ‖ kind ‖ ":1" ‖ 00 ‖ text
 *
 * so that a statement of one kind is never valid as another kind. A key is identified by its fingerprint:
 * SHA-256 of its SPKI, DER, in lower-case hex.
 * @see https://www.rfc-editor.org/rfc/rfc8032
 * @module
 */
import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'
import { hkdf } from './derive.ts'

/** The subject of a statement. */
export type StatementKind = 'checkpoint' | 'writers'

export interface StatementKey {
  /** The version of the domain key that it is derived from. */
  readonly version: number
  /** SPKI, DER. */
  readonly publicKey: Buffer
}

/** The bytes before the seed of an Ed25519 key in PKCS#8, DER (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

export function statementKey(domainKey: KeyObject): KeyObject {
  const seed = hkdf(domainKey, Buffer.from('trent:statement:1'))
  const key = Buffer.concat([pkcs8Prefix, seed])
  seed.fill(0)
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    key.fill(0)
  }
}

/** SPKI, DER. */
export function publicPartOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

/** Returns a signature of 64 bytes. */
export function signStatement(key: KeyObject, kind: StatementKind, text: string): Buffer {
  return sign(null, signed(kind, text), key)
}

/** @param publicKey SPKI, DER; bytes that are not a key verify nothing */
export function statementHolds(
  publicKey: Uint8Array,
  kind: StatementKind,
  text: string,
  signature: Uint8Array,
): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    return key.asymmetricKeyType === 'ed25519' && verify(null, signed(kind, text), key, signature)
  } catch {
    // A caller controls the bytes, so they may not be a key.
    return false
  }
}

export function fingerprintOf(publicKey: Uint8Array): string {
  return hash('sha256', publicKey, 'hex')
}

function signed(kind: StatementKind, text: string): Buffer {
  return Buffer.from(`trent:${kind}:1\u0000${text}`)
}
