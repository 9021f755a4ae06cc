/**
 * Key derivation: HKDF for long-lived keys and ids, SP 800-108 for the key of a message.
 * @see https://www.rfc-editor.org/rfc/rfc5869
 * @see https://nvlpubs.nist.gov/nistpubs/SpecialPublications/NIST.SP.800-108r1-upd1.pdf section 4.1
 * @module
 */
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const counter = Buffer.from('00000001', 'hex')
const separator = Buffer.of(0)
const outputBits = Buffer.from('00000100', 'hex')
const noSalt = Buffer.alloc(0)

/** Returns 32 bytes of HKDF-SHA-256 without a salt. */
export function hkdf(secret: KeyObject, info: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, noSalt, info, 32))
}

/** Returns a 256-bit key of HKDF-SHA-256 without a salt. */
export function hkdfKey(secret: KeyObject, info: string): KeyObject {
  return takeSecretKey(hkdf(secret, Buffer.from(info)))
}

/**
 * 256 bits of SP 800-108 in counter mode with HMAC-SHA-256, one block:
 * `HMAC(secret, 00000001 ‖ label ‖ 00 ‖ context… ‖ 00000100)`. The caller overwrites the result.
 */
export function counterKey(
  secret: KeyObject,
  label: Uint8Array,
  context: readonly Uint8Array[],
): Buffer {
  const mac = createHmac('sha256', secret).update(counter).update(label).update(separator)
  for (const part of context) mac.update(part)
  return mac.update(outputBits).digest()
}

/** Moves `bytes` into a KeyObject and overwrites them. */
export function takeSecretKey(bytes: Uint8Array): KeyObject {
  try {
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}
