/**
 * Encrypts and decrypts as an XKS proxy, under the materials of built-in keys.
 * @module
 */
import type { OuterParts } from '../../crypto/external-message.ts'
import { NotAuthentic } from '../../crypto/keyring.ts'
import {
  integrityValue,
  openForProxy,
  sealForProxy,
  shortMaterialIdOf,
} from '../../crypto/proxy-message.ts'
import { KmsError } from '../../errors.ts'
import type { Random } from '../../model/clock.ts'
import type { KeyRecord, MaterialRecord } from '../../model/key.ts'
import type { Opened } from '../keystore.ts'
import type { OpenMaterials } from './open-materials.ts'

export interface ProxyMessages {
  /** Encrypts under the key's current material. @param aad the caller's additional data */
  encrypt(
    key: KeyRecord,
    aad: Uint8Array,
    plaintext: Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly parts: OuterParts; readonly materialId: string }>
  /**
   * Opens a ciphertext of any of the key's materials.
   * @throws {KmsError} `InvalidCiphertextException`, whatever the cause
   */
  decrypt(key: KeyRecord, aad: Uint8Array, parts: OuterParts, signal: AbortSignal): Promise<Opened>
  /** SHA-256 over an encryption, 32 bytes. */
  integrityValue(aad: Uint8Array, parts: OuterParts): Uint8Array
}

export interface ProxyMessagesDependencies {
  readonly materials: OpenMaterials
  readonly random: Random
  readonly listMaterials: (accountId: string, keyId: string) => Promise<readonly MaterialRecord[]>
}

/** Lists of materials that are remembered. A key's materials keep their ids. */
const listsMax = 1000

export function createProxyMessages({
  materials,
  random,
  listMaterials,
}: ProxyMessagesDependencies): ProxyMessages {
  const lists = new Map<string, readonly string[]>()
  const idsOf = async ({ accountId, keyId }: KeyRecord): Promise<readonly string[]> => {
    const ids = (await listMaterials(accountId, keyId)).map(({ materialId }) => materialId)
    const name = `${accountId}/${keyId}`
    lists.delete(name)
    lists.set(name, ids)
    const [oldest] = lists.keys()
    if (lists.size > listsMax && oldest !== undefined) lists.delete(oldest)
    return ids
  }
  /** The ids that begin so: more than one only by a chance of 1 in 2^56. */
  const candidates = async (key: KeyRecord, start: string): Promise<readonly string[]> => {
    const begin = (ids: readonly string[]): readonly string[] =>
      ids.filter((id) => id.startsWith(start))
    const known = begin(lists.get(`${key.accountId}/${key.keyId}`) ?? [])
    return known.length > 0 ? known : begin(await idsOf(key))
  }
  return {
    async encrypt(key, aad, plaintext, signal) {
      const material = await materials.current(key, signal)
      const parts = sealForProxy(material, aad, plaintext, random)
      return { parts, materialId: material.record.materialId }
    },

    async decrypt(key, aad, parts, signal) {
      const start = shortMaterialIdOf(parts)
      if (start === undefined) throw new KmsError('InvalidCiphertextException')
      for (const materialId of await candidates(key, start)) {
        const material = await materials.find(materialId, key, signal)
        if (material === undefined) continue
        try {
          return { plaintext: openForProxy(material, aad, parts), materialId }
        } catch (error) {
          if (!(error instanceof NotAuthentic)) throw error
        }
      }
      throw new KmsError('InvalidCiphertextException')
    },

    integrityValue,
  }
}
