/**
 * What Trent encrypts as an XKS proxy, for AWS KMS or another Trent. `docs/xks-proxy-ciphertext.md` specifies
 * it; it may never change for existing ciphertexts.
 *
 *     metadata   01 ‖ first 7 bytes of the KeyMaterialId ‖ nonce (12), 20 bytes
 *     K          SP 800-108 of the material under "trent:xks-proxy-key:1", KeyMaterialId ‖ nonce
 *     output     AES-256-GCM(K, random IV (12), AAD), the tag (16) apart
 *     AAD        u16 length ‖ additional data ‖ u8 length ‖ metadata
 *
 * The label of its own keeps these keys apart from those of Encrypt, so neither opens what the other sealed.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { hash } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { ivBytes, openWithIv, sealWithIv, tagBytes } from './aead.ts'
import { counterKey } from './derive.ts'
import type { OuterParts } from './external-message.ts'
import type { SymmetricMaterial } from './symmetric.ts'

const format = 1
const shortIdBytes = 7
const nonceBytes = 12
const nonceStart = 1 + shortIdBytes
const metadataBytes = nonceStart + nonceBytes
const keyLabel = Buffer.from('trent:xks-proxy-key:1')

/** Encrypts a message under a key of its own. @param aad the caller's additional data */
export function sealForProxy(
  material: SymmetricMaterial,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): OuterParts {
  const fresh = random.bytes(nonceBytes + ivBytes)
  const iv = fresh.subarray(nonceBytes)
  const metadata = Buffer.concat([
    Buffer.of(format),
    material.materialId.subarray(0, shortIdBytes),
    fresh.subarray(0, nonceBytes),
  ])
  const key = messageKey(material, metadata)
  try {
    const sealed = sealWithIv(key, iv, proxyAad(aad, metadata), plaintext)
    const end = sealed.length - tagBytes
    return { ciphertext: sealed.subarray(0, end), iv, tag: sealed.subarray(end), metadata }
  } finally {
    key.fill(0)
  }
}

/**
 * Decrypts. The caller must pass a material of which {@link shortMaterialIdOf} names the beginning.
 * @throws {NotAuthentic} if any part of it or the additional data differs from what was sealed
 */
export function openForProxy(
  material: SymmetricMaterial,
  aad: Uint8Array,
  { ciphertext, iv, tag, metadata }: OuterParts,
): Buffer {
  const key = messageKey(material, metadata)
  try {
    return openWithIv(key, iv, proxyAad(aad, metadata), Buffer.concat([ciphertext, tag]))
  } finally {
    key.fill(0)
  }
}

/**
 * The first 14 hex digits of the material's id, in the metadata of a ciphertext; undefined for parts that
 * Trent did not make.
 */
export function shortMaterialIdOf({ metadata, iv }: OuterParts): string | undefined {
  const isOurs =
    metadata.length === metadataBytes && metadata[0] === format && iv.length === ivBytes
  return isOurs ? Buffer.from(metadata.subarray(1, nonceStart)).toString('hex') : undefined
}

/** The additional data of the encryption itself: the caller's, and the metadata, with their lengths. */
export function proxyAad(aad: Uint8Array, metadata: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(aad.length)
  return Buffer.concat([length, aad, Buffer.of(metadata.length), metadata])
}

/** The value by which a client checks that an encryption arrived whole: SHA-256, 32 bytes. */
export function integrityValue(aad: Uint8Array, parts: OuterParts): Buffer {
  const { metadata, iv, ciphertext, tag } = parts
  return hash('sha256', Buffer.concat([aad, metadata, iv, ciphertext, tag]), 'buffer')
}

function messageKey({ key, materialId }: SymmetricMaterial, metadata: Uint8Array): Buffer {
  return counterKey(key, keyLabel, [materialId, metadata.subarray(nonceStart)])
}
