/**
 * Encrypt and Decrypt by an RSAES-OAEP row of the algorithm table. Ciphertexts are bare, without a header
 * of ours, so that what is encrypted offline under the public key opens here, and the other way round.
 * @see RFC 8017 §7.1 @module
 */
import type { KeyObject } from 'node:crypto'
import { constants, privateDecrypt, publicEncrypt } from 'node:crypto'
import { KmsError } from '../../errors.ts'
import type { KeySpec } from '../../model/key.ts'
import type { EncryptionAlgorithm } from './table.ts'

/** The longest plaintext, in bytes: two digests and two bytes less than the modulus. */
export function plaintextBytesMax(row: EncryptionAlgorithm, key: KeyObject): number {
  return modulusBytes(key) - 2 * row.hash.bytes - 2
}

/** @throws {KmsError} `ValidationException` for a plaintext that is too long for the modulus */
export function encrypt(
  row: EncryptionAlgorithm,
  spec: KeySpec,
  publicKey: KeyObject,
  plaintext: Uint8Array,
): Buffer {
  const max = plaintextBytesMax(row, publicKey)
  if (plaintext.length > max) {
    throw new KmsError(
      'ValidationException',
      `Algorithm ${row.name} and key spec ${spec} cannot encrypt data larger than ${max} bytes.`,
    )
  }
  return publicEncrypt(options(row, publicKey), plaintext)
}

/** @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause */
export function decrypt(
  row: EncryptionAlgorithm,
  privateKey: KeyObject,
  ciphertext: Uint8Array,
): Buffer {
  if (ciphertext.length !== modulusBytes(privateKey))
    throw new KmsError('InvalidCiphertextException')
  try {
    return privateDecrypt(options(row, privateKey), ciphertext)
  } catch {
    // OpenSSL checks the padding in constant time; its reasons, had it any, are for nobody.
    throw new KmsError('InvalidCiphertextException')
  }
}

function options(
  row: EncryptionAlgorithm,
  key: KeyObject,
): { readonly key: KeyObject; readonly padding: number; readonly oaepHash: string } {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: row.hash.name }
}

function modulusBytes(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
}
