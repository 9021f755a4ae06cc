/**
 * Encrypts and decrypts messages under symmetric material, as `docs/ciphertext-blob.md` specifies:
 *
 *     K = HMAC-SHA-256(material, 00000001 ‖ "trent:message-key:1" ‖ 00 ‖ KeyMaterialId ‖ nonce ‖ 00000100)
 *     AES-256-GCM(K, random iv, AAD = "trent:blob:1" ‖ header ‖ u32 length ‖ canonical context)
 *
 * Each message has a random 128-bit nonce and so its own key: no key nears the limits of GCM. @module
 */
import type { KeyObject } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { ivBytes, openWithIv, sealWithIv } from './aead.ts'
import { blobNonceBytes, encodeHeader, innerFrameBytes } from './blob.ts'
import type { Blob, BlobKind } from './blob.ts'
import { counterKey } from './derive.ts'
import { NotAuthentic } from './keyring.ts'

/** An opened 256-bit material and its id. */
export interface SymmetricMaterial {
  readonly key: KeyObject
  /** 32 bytes. */
  readonly materialId: Uint8Array
}

const keyLabel = Buffer.from('trent:message-key:1')
const aadLabel = Buffer.from('trent:blob:1')
const innerFrame = Buffer.concat([Buffer.of(1), Buffer.alloc(innerFrameBytes - 1)])

/** Returns a whole blob. @param context the canonical encryption context */
export function sealMessage(
  material: SymmetricMaterial,
  kind: BlobKind,
  context: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Buffer {
  const fresh = random.bytes(blobNonceBytes + ivBytes)
  const nonce = fresh.subarray(0, blobNonceBytes)
  const iv = fresh.subarray(blobNonceBytes)
  const { materialId } = material
  const header = encodeHeader({ kind, materialId, nonce, iv }, plaintext.length)
  const key = messageKey(material, nonce)
  // One piece: encrypting the frame and the plaintext separately takes 1 µs longer.
  const framed = Buffer.allocUnsafe(innerFrameBytes + plaintext.length)
  framed.set(innerFrame)
  framed.set(plaintext, innerFrameBytes)
  try {
    return sealWithIv(key, iv, messageAad(header, context), framed, header)
  } finally {
    key.fill(0)
    framed.fill(0)
  }
}

/**
 * Returns the plaintext of a blob. The caller must pass the material that the blob names.
 * @param context the canonical encryption context
 * @throws {NotAuthentic} if any part of it differs from what was sealed
 */
export function openMessage(material: SymmetricMaterial, blob: Blob, context: Uint8Array): Buffer {
  const key = messageKey(material, blob.nonce)
  try {
    const opened = openWithIv(key, blob.iv, messageAad(blob.header, context), blob.sealed)
    if (opened.subarray(0, innerFrameBytes).equals(innerFrame)) {
      return opened.subarray(innerFrameBytes)
    }
    opened.fill(0)
    throw new NotAuthentic('the frame inside is of no known version')
  } finally {
    key.fill(0)
  }
}

function messageKey(material: SymmetricMaterial, nonce: Uint8Array): Buffer {
  return counterKey(material.key, keyLabel, [material.materialId, nonce])
}

function messageAad(header: Uint8Array, context: Uint8Array): Buffer {
  const lengthAt = aadLabel.length + header.length
  const aad = Buffer.allocUnsafe(lengthAt + 4 + context.length)
  aad.set(aadLabel)
  aad.set(header, aadLabel.length)
  aad.set(context, aad.writeUInt32BE(context.length, lengthAt))
  return aad
}
