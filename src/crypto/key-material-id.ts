/**
 * The id of a key's material: it commits to the material and to the key it was made for, which
 * AES-GCM alone does to neither. It may never change for material that exists.
 *
 *     KeyMaterialId = HKDF-SHA-256(material, no salt, info, 32 bytes)
 *     info = "trent:key-material-id:1" ‖ 00 ‖ u32 length ‖ account ‖ u32 length ‖ key id
 *
 * The Region is left out: a multi-Region key's replicas share material, key id and so this id.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { hkdf } from './derive.ts'

/** Bytes of a KeyMaterialId. */
export const materialIdBytes = 32

const label = Buffer.from('trent:key-material-id:1\0')

/** What a material belongs to. */
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
