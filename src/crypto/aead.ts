/**
 * AES-256-GCM with a random 96-bit IV and a 128-bit tag: how keys are wrapped under keys.
 * @see https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf
 * @module
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { NotAuthentic } from './keyring.ts'

/** Bytes of the IV. */
export const ivBytes = 12
/** Bytes of the tag. */
export const tagBytes = 16

/** Answers `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes. A key wraps fewer than 2^32 times. */
export function wrapBytes(
  key: KeyObject,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Buffer {
  const iv = random.bytes(ivBytes)
  return sealWithIv(key, iv, aad, plaintext, iv)
}

/** Opens `iv ‖ ciphertext ‖ tag`; the caller overwrites the answer when done. @throws {NotAuthentic} */
export function unwrapBytes(key: KeyObject, aad: Uint8Array, wrapped: Uint8Array): Buffer {
  if (wrapped.length < ivBytes + tagBytes) throw new NotAuthentic('wrapped bytes are too short')
  return openWithIv(key, wrapped.subarray(0, ivBytes), aad, wrapped.subarray(ivBytes))
}

const nothing = Buffer.alloc(0)

/**
 * Answers `before ‖ ciphertext ‖ tag`. The caller answers for the IV: under one key it is never used
 * twice.
 */
export function sealWithIv(
  key: KeyObject | Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  before: Uint8Array = nothing,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  cipher.setAAD(aad)
  const ciphertext = cipher.update(plaintext)
  cipher.final() // GCM holds nothing back
  return Buffer.concat([before, ciphertext, cipher.getAuthTag()])
}

/** Opens `ciphertext ‖ tag`. @throws {NotAuthentic} and overwrites what was deciphered */
export function openWithIv(
  key: KeyObject | Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Buffer {
  if (sealed.length < tagBytes) throw new NotAuthentic('sealed bytes are too short')
  const tagStart = sealed.length - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(tagStart))
  const plaintext = decipher.update(sealed.subarray(0, tagStart))
  try {
    decipher.final() // GCM holds nothing back: it only checks the tag
  } catch {
    plaintext.fill(0)
    throw new NotAuthentic('the tag does not match')
  }
  return plaintext
}
