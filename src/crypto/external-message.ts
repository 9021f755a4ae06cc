/**
 * The ciphertext of a key in an external key store: encrypted twice, inside by Trent under the key's own
 * material, outside by the external key manager. `docs/external-ciphertext.md` specifies it; it may never
 * change for existing ciphertexts.
 *
 *     header   01 02 ‖ kind ‖ 00 79 ‖ KeyMaterialId (32) ‖ 01 ‖ nonce (16) ‖ IV (12), 66 bytes
 *     blob     header ‖ u8 n ‖ outer IV (n) ‖ outer tag (16) ‖ u8 m ‖ metadata (m) ‖ outer ciphertext
 *     inner    AES-256-GCM(K, IV, "trent:external-blob:1" ‖ header ‖ u32 length ‖ context), with its tag
 *     K        SP 800-108 of the material, as for other messages, under "trent:external-message-key:1"
 *
 * The key manager encrypts `inner`, with {@link outerAad} as its additional data.
 * @module
 */
import { hash } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { ivBytes, openWithIv, sealWithIv, tagBytes } from './aead.ts'
import { kindBytes, type BlobKind } from './blob.ts'
import { counterKey } from './derive.ts'
import { materialIdBytes } from './key-material-id.ts'
import type { SymmetricMaterial } from './symmetric.ts'

/** What an external key manager returns for an encryption. */
export interface OuterParts {
  /** As long as the bytes that were encrypted. */
  readonly ciphertext: Uint8Array
  /** 12 or 16 bytes. */
  readonly iv: Uint8Array
  /** 16 bytes. */
  readonly tag: Uint8Array
  /** Up to 20 bytes; empty if there is none. */
  readonly metadata: Uint8Array
}

/** A ciphertext of the right structure. Nothing in it is authenticated yet. */
export interface ExternalBlob {
  readonly header: Uint8Array
  /** 32 bytes. */
  readonly materialId: Uint8Array
  readonly outer: OuterParts
}

/** The inner encryption of a message. */
export interface InnerMessage {
  readonly header: Uint8Array
  /** `ciphertext ‖ tag`, n + 16 bytes. */
  readonly sealed: Uint8Array
}

/** In bytes. */
export const metadataBytesMax = 20
/** In bytes. */
export const outerIvBytes: readonly number[] = [12, 16]

const nonceBytes = 16
const plaintextBytesMax = 4096
const prefix = Buffer.from('0102', 'hex')
const constants = Buffer.from('0079', 'hex')
const version = 1
const materialIdStart = 5
const versionAt = materialIdStart + materialIdBytes
const nonceStart = versionAt + 1
const ivStart = nonceStart + nonceBytes
const headerBytes = ivStart + ivBytes

const keyLabel = Buffer.from('trent:external-message-key:1')
const innerLabel = Buffer.from('trent:external-blob:1')
const outerLabel = Buffer.from('trent:external-aad:1')

/** Encrypts under the key's own material. @param context the canonical encryption context */
export function sealInner(
  material: SymmetricMaterial,
  kind: BlobKind,
  context: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): InnerMessage {
  const header = Buffer.alloc(headerBytes)
  header.set(prefix)
  header.writeUInt8(kindBytes[kind], prefix.length)
  header.set(constants, prefix.length + 1)
  header.set(material.materialId, materialIdStart)
  header.writeUInt8(version, versionAt)
  header.set(random.bytes(nonceBytes + ivBytes), nonceStart)
  const key = messageKey(material, header)
  try {
    const iv = header.subarray(ivStart)
    const sealed = sealWithIv(key, iv, labelled(innerLabel, header, context), plaintext)
    return { header, sealed }
  } finally {
    key.fill(0)
  }
}

/**
 * Decrypts what the key manager returned. The caller must pass the material that the blob names.
 * @throws {NotAuthentic} if it, the header or the context differs from what was sealed
 */
export function openInner(
  material: SymmetricMaterial,
  { header, sealed }: InnerMessage,
  context: Uint8Array,
): Buffer {
  const key = messageKey(material, header)
  try {
    const iv = header.subarray(ivStart)
    return openWithIv(key, iv, labelled(innerLabel, header, context), sealed)
  } finally {
    key.fill(0)
  }
}

/**
 * The additional data of the outer encryption, 32 bytes. A hash, because the encryption context is for
 * Trent's audit records and not for the key manager's.
 */
export function outerAad(header: Uint8Array, context: Uint8Array): Buffer {
  return hash('sha256', labelled(outerLabel, header, context), 'buffer')
}

/** Joins both encryptions to one ciphertext. */
export function encodeExternal(header: Uint8Array, outer: OuterParts): Buffer {
  const { iv, tag, metadata, ciphertext } = outer
  return Buffer.concat([
    header,
    Buffer.of(iv.length),
    iv,
    tag,
    Buffer.of(metadata.length),
    metadata,
    ciphertext,
  ])
}

/** Returns undefined unless the bytes have the structure of such a ciphertext. */
export function parseExternal(bytes: Uint8Array): ExternalBlob | undefined {
  if (bytes.length <= headerBytes || !isHeader(bytes)) return undefined
  const ivLength = bytes[headerBytes] ?? 0
  const tagStart = headerBytes + 1 + ivLength
  const metadataStart = tagStart + tagBytes + 1
  const metadataLength = bytes[metadataStart - 1]
  if (!outerIvBytes.includes(ivLength) || metadataLength === undefined) return undefined
  const ciphertextStart = metadataStart + metadataLength
  const plaintextBytes = bytes.length - ciphertextStart - tagBytes
  if (metadataLength > metadataBytesMax) return undefined
  if (plaintextBytes < 1 || plaintextBytes > plaintextBytesMax) return undefined
  return {
    header: bytes.subarray(0, headerBytes),
    materialId: bytes.subarray(materialIdStart, versionAt),
    outer: {
      iv: bytes.subarray(headerBytes + 1, tagStart),
      tag: bytes.subarray(tagStart, tagStart + tagBytes),
      metadata: bytes.subarray(metadataStart, ciphertextStart),
      ciphertext: bytes.subarray(ciphertextStart),
    },
  }
}

function isHeader(bytes: Uint8Array): boolean {
  const kind = bytes[prefix.length]
  return (
    prefix.equals(bytes.subarray(0, prefix.length)) &&
    (kind === kindBytes.ciphertext || kind === kindBytes['data-key']) &&
    constants.equals(bytes.subarray(prefix.length + 1, materialIdStart)) &&
    bytes[versionAt] === version
  )
}

function messageKey(material: SymmetricMaterial, header: Uint8Array): Buffer {
  const nonce = header.subarray(nonceStart, ivStart)
  return counterKey(material.key, keyLabel, [material.materialId, nonce])
}

function labelled(label: Uint8Array, header: Uint8Array, context: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(context.length)
  return Buffer.concat([label, header, length, context])
}
