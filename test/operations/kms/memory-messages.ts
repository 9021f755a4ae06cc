/** A key store in memory. @module */
import { KmsError } from '../../../src/errors.ts'
import type { KeyStore } from '../../../src/keystores/keystore.ts'
import { importMethods } from './memory-imports.ts'
import { pairMethods } from './memory-pairs.ts'
import { unused } from './unused.ts'

/** "Encrypts" as JSON, because tests check only the bytes, contexts and kinds that an operation passes. */
export function keyStore(handedOut: Buffer[], now: () => number): KeyStore {
  return {
    ...importMethods(now),
    ...pairMethods(handedOut),
    adoptMaterial: unused,
    createMaterial: async (material) => ({
      ...material,
      materialId: Buffer.from(material.keyId).toString('hex').slice(-64),
      wrappingVersion: 1,
      wrapped: new Uint8Array(60),
    }),
    encrypt: async (key, plaintext, context, kind) => ({
      ciphertext: Buffer.from(
        JSON.stringify({ keyId: key.keyId, plaintext: [...plaintext], context, kind }),
      ),
      materialId: key.currentMaterialId ?? '',
    }),
    decrypt: async (key, ciphertext, context) => {
      const sealed = JSON.parse(Buffer.from(ciphertext).toString()) as {
        keyId: string
        plaintext: number[]
        context: object
      } // made by encrypt above
      if (
        sealed.keyId !== key.keyId ||
        JSON.stringify(sealed.context) !== JSON.stringify(context)
      ) {
        throw new KmsError('InvalidCiphertextException')
      }
      const plaintext = Buffer.from(sealed.plaintext)
      handedOut.push(plaintext)
      return { plaintext, materialId: key.currentMaterialId ?? '' }
    },
    random: async (length) => {
      const bytes = Buffer.alloc(length, 0xa5)
      handedOut.push(bytes)
      return bytes
    },
  }
}
