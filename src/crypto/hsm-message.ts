/**
 * What Trent gives an HSM in addition to the plaintext. `docs/ciphertext-blob.md` specifies it, and it may
 * never change for existing ciphertexts. The HSM encrypts the plaintext, and Trent encrypts what the HSM
 * returns as the plaintext of an ordinary blob. So Trent alone finds out whether a ciphertext is genuine,
 * and an HSM is only asked about those that are.
 *
 *     inner  IV (12) ‖ AES-256-GCM ciphertext ‖ tag (16), made in the HSM: n + 28 bytes
 *     AAD    SHA-256("trent:hsm-aad:1" ‖ kind ‖ KeyMaterialId ‖ u32 length ‖ canonical context)
 * @module
 */
import { hash } from 'node:crypto'
import { kindBytes, type BlobKind } from './blob.ts'

const label = Buffer.from('trent:hsm-aad:1')

/**
 * The additional data of the encryption in an HSM, 32 bytes. A hash, because HSMs have limits for it, and
 * because the encryption context is for Trent's audit records alone.
 */
export function hsmAad(kind: BlobKind, materialId: Uint8Array, context: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(context.length)
  const parts = [label, Buffer.of(kindBytes[kind]), materialId, length, context]
  return hash('sha256', Buffer.concat(parts), 'buffer')
}
