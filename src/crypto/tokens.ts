/**
 * Sealed tokens: opaque values that Trent returns to a caller and later accepts again, such as the
 * marker of a list.
 *
 *     base64url of 01 ‖ u32 domain key version ‖ 16-byte nonce ‖ ciphertext ‖ tag
 *     key = HMAC-SHA-256(purpose's key, 00000001 ‖ "trent:token-key:1" ‖ 00 ‖ the first 21 bytes ‖ 00000100)
 *     AES-256-GCM(key, zero iv), AAD = canonical row of purpose, deployment, version and scope
 *
 * Each token has its own key, so the IV can be constant. @module
 */
import type { KeyObject } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { ivBytes, openWithIv, sealWithIv, tagBytes } from './aead.ts'
import { canonicalRow } from './canonical.ts'
import { counterKey } from './derive.ts'
import { NotAuthentic } from './keyring.ts'
import type { TokenPurpose } from './keyring.ts'

/** Everything that a token is bound to, besides its key. */
export interface TokenBinding {
  readonly purpose: TokenPurpose
  readonly deploymentId: string
  readonly scope: string
}

/** A well-formed token. Nothing in it is authenticated yet. */
export interface ReadToken {
  /** The version of the domain key that it claims. */
  readonly version: number
  readonly header: Buffer
  readonly sealed: Buffer
}

const format = 1
const nonceBytes = 16
const headerBytes = 1 + 4 + nonceBytes
const label = Buffer.from('trent:token-key:1')
const zeroIv = Buffer.alloc(ivBytes)
/**
 * The longest token, in characters. Callers send tokens, which are decoded before they are
 * authenticated.
 */
const charactersMax = 16_384
const payloadBytesMax = (charactersMax / 4) * 3 - headerBytes - tagBytes

/** @param purposeKey the key of `binding.purpose` under the domain key of `version` */
export function sealTokenText(
  purposeKey: KeyObject,
  version: number,
  binding: TokenBinding,
  payload: Uint8Array,
  random: Random,
): string {
  if (payload.length > payloadBytesMax) throw new RangeError('a token would be too long')
  const header = Buffer.alloc(headerBytes)
  header.writeUInt8(format, 0)
  header.writeUInt32BE(version, 1)
  header.set(random.bytes(nonceBytes), 5)
  const key = counterKey(purposeKey, label, [header])
  const sealed = sealWithIv(key, zeroIv, tokenAad(binding, version), payload)
  key.fill(0)
  return Buffer.concat([header, sealed]).toString('base64url')
}

/** @throws {NotAuthentic} if the text does not have the form of a token */
export function readToken(text: string): ReadToken {
  if (text.length > charactersMax) throw new NotAuthentic('the token is too long')
  const bytes = Buffer.from(text, 'base64url')
  // The decoder skips characters that are not base64url and accepts other spellings. Only the
  // canonical text is valid.
  if (bytes.toString('base64url') !== text) throw new NotAuthentic('not the text of a token')
  if (bytes.length < headerBytes + tagBytes || bytes[0] !== format) {
    throw new NotAuthentic('not a token')
  }
  const header = bytes.subarray(0, headerBytes)
  return { version: bytes.readUInt32BE(1), header, sealed: bytes.subarray(headerBytes) }
}

/** @throws {NotAuthentic} unless it was sealed under exactly this key for exactly this binding */
export function openToken(purposeKey: KeyObject, token: ReadToken, binding: TokenBinding): Buffer {
  const key = counterKey(purposeKey, label, [token.header])
  try {
    return openWithIv(key, zeroIv, tokenAad(binding, token.version), token.sealed)
  } finally {
    key.fill(0)
  }
}

function tokenAad({ purpose, deploymentId, scope }: TokenBinding, version: number): Buffer {
  return canonicalRow('trent:token:1', { purpose, deployment: deploymentId, version, scope })
}
