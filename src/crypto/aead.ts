/**
 * AES-256-GCM with a random 96-bit IV and a 128-bit tag, to wrap keys under keys.
 * @see https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf
 * @module
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { NotAuthentic } from './keyring.ts'

/** In bytes. */
export const ivBytes = 12
/** In bytes. */
export const tagBytes = 16

/** Returns `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes. One key must wrap fewer than 2^32 times. */
export function wrapBytes(
  key: KeyObject,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Buffer {
  const iv = random.bytes(ivBytes)
  return sealWithIv(key, iv, aad, plaintext, iv)
}

/**
 * Opens `iv ‖ ciphertext ‖ tag`. The caller overwrites the result when done.
 * @throws {NotAuthentic}
 */
export function unwrapBytes(key: KeyObject, aad: Uint8Array, wrapped: Uint8Array): Buffer {
  if (wrapped.length < ivBytes + tagBytes) throw new NotAuthentic('wrapped bytes are too short')
  return openWithIv(key, wrapped.subarray(0, ivBytes), aad, wrapped.subarray(ivBytes))
}

const nothing = Buffer.alloc(0)

/** Returns `before ‖ ciphertext ‖ tag`. The caller must never use an IV twice under one key. */
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
  cipher.final() // GCM buffers nothing
  return Buffer.concat([before, ciphertext, cipher.getAuthTag()])
}

/**
 * Opens `ciphertext ‖ tag`.
 * @throws {NotAuthentic} after overwriting the unauthenticated plaintext
 */
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
    decipher.final() // GCM buffers nothing: this only checks the tag
  } catch {
    plaintext.fill(0)
    throw new NotAuthentic('the tag does not match')
  }
  return plaintext
}
