/**
 * The id of a key's material. It commits to the material and to its key; AES-GCM alone commits to
 * neither. It may never change for existing material.
 *
 *     KeyMaterialId = HKDF-SHA-256(material, no salt, info, 32 bytes)
 *     info = "trent:key-material-id:1" ‖ 00 ‖ u32 length ‖ account ‖ u32 length ‖ key id
 *
 * The Region is left out, because the replicas of a multi-Region key share material and key id.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { hkdf } from './derive.ts'

/** In bytes. */
export const materialIdBytes = 32

const label = Buffer.from('trent:key-material-id:1\0')

/** The key that a material belongs to. */
export interface MaterialOwner {
  /** Twelve digits. */
  readonly accountId: string
  readonly keyId: string
}

/** @param material the material in the encoding of its key spec, as a secret key */
export function keyMaterialId(material: KeyObject, owner: MaterialOwner): Buffer {
  const info = Buffer.concat([label, sized(owner.accountId), sized(owner.keyId)])
  return hkdf(material, info)
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
