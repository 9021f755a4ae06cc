/**
 * Imports for the in-memory key store: a token is JSON with its key and date, and the material is sent
 * unwrapped, so
 * tests can send any. Wrapping is tested elsewhere.
 */
import { createHash } from 'node:crypto'
import { KmsError } from '../../../src/errors.ts'
import type { KeyStore } from '../../../src/keystores/keystore.ts'
import type { KeyRef } from '../../../src/model/key.ts'

/** The KeyMaterialId of bytes that are imported into an in-memory key. */
export function memoryMaterialId({ keyId }: Pick<KeyRef, 'keyId'>, material: Uint8Array): string {
  return createHash('sha256').update(keyId).update(material).digest('hex')
}

export function importMethods(
  now: () => number,
): Pick<KeyStore, 'importParameters' | 'importMaterial'> {
  return {
    importParameters: async ({ keyId }, { algorithm, keySpec }) => {
      const validTo = now() + 86_400_000
      const token = Buffer.from(JSON.stringify({ keyId, validTo }))
      return { publicKey: Buffer.from(`${algorithm} ${keySpec}`), token, validTo }
    },
    importMaterial: async (key, token, wrapped) => {
      const { keyId, validTo } = JSON.parse(Buffer.from(token).toString()) as {
        readonly keyId: string
        readonly validTo: number
      } // made above
      if (keyId !== key.keyId) throw new KmsError('InvalidImportTokenException')
      if (now() >= validTo) throw new KmsError('ExpiredImportTokenException')
      const { accountId, region, spec, usage, origin } = key
      return {
        accountId,
        region,
        keyId,
        spec,
        usage,
        origin,
        materialId: memoryMaterialId(key, wrapped),
        wrappingVersion: 1,
        wrapped: new Uint8Array(wrapped),
        createdAt: now(),
      }
    },
  }
}
