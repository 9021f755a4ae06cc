/**
 * Encrypt and Decrypt of the built-in store under symmetric keys, in Trent's own ciphertext format.
 * @module
 */
import { parseBlob } from '../../crypto/blob.ts'
import { canonicalContext } from '../../crypto/encryption-context.ts'
import { NotAuthentic } from '../../crypto/keyring.ts'
import { openMessage, sealMessage } from '../../crypto/symmetric.ts'
import { KmsError } from '../../errors.ts'
import { andThen } from '../../model/awaitable.ts'
import type { Random } from '../../model/clock.ts'
import type { KeyRecord } from '../../model/key.ts'
import type { EncryptionContext, KeyStore } from '../keystore.ts'
import type { OpenMaterials } from './open-materials.ts'

export function messageMethods(
  materials: OpenMaterials,
  random: Random,
): Pick<KeyStore, 'encrypt' | 'decrypt'> {
  return {
    encrypt(key, plaintext, context, kind, signal) {
      signal.throwIfAborted()
      requireSymmetric(key)
      const canonical = requireContext(context)
      return andThen(materials.current(key, signal), (material) => ({
        ciphertext: sealMessage(material, kind, canonical, plaintext, random),
        materialId: material.record.materialId,
      }))
    },

    decrypt(key, ciphertext, context, signal) {
      signal.throwIfAborted()
      requireSymmetric(key)
      const blob = parseBlob(ciphertext)
      if (blob === undefined) throw new KmsError('InvalidCiphertextException')
      const materialId = Buffer.from(blob.materialId).toString('hex')
      return andThen(materials.find(materialId, key, signal), (material) => {
        if (material === undefined) throw incorrectKey()
        const canonical = canonicalContext(context)
        // No ciphertext was ever made with a context that has no canonical form.
        if (canonical === undefined) throw new KmsError('InvalidCiphertextException')
        return { plaintext: opened(material, blob, canonical), materialId }
      })
    },
  }
}

/** The canonical bytes of a context to encrypt with. @throws {KmsError} `ValidationException` */
export function requireContext(context: EncryptionContext): Buffer {
  const canonical = canonicalContext(context)
  if (canonical !== undefined) return canonical
  throw new KmsError('ValidationException', 'the encryption context is not valid UTF-8')
}

/** @throws {KmsError} `InvalidCiphertextException` without a message */
export function opened(...sealed: Parameters<typeof openMessage>): Buffer {
  try {
    return openMessage(...sealed)
  } catch (error) {
    if (error instanceof NotAuthentic) throw new KmsError('InvalidCiphertextException')
    throw error
  }
}

/**
 * Material of another spec must never be used with this format, even if a caller forgot to check.
 */
function requireSymmetric(key: KeyRecord): void {
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw new TypeError(`${key.spec} is not symmetric`)
}

/** AWS's answer for a ciphertext of another key. */
export function incorrectKey(): KmsError {
  const message =
    'The key ID in the request does not identify a CMK that can perform this operation.'
  return new KmsError('IncorrectKeyException', message)
}
