/**
 * Encrypt and Decrypt for an RSAES-OAEP row of the algorithm table. Ciphertexts have no header, so
 * they are interchangeable with those made or opened outside Trent.
 * @see RFC 8017 §7.1
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { constants, privateDecrypt, publicEncrypt } from 'node:crypto'
import { KmsError } from '../../errors.ts'
import type { KeySpec } from '../../model/key.ts'
import type { EncryptionAlgorithm } from './table.ts'

/** Longest plaintext, in bytes: the modulus less two digests and two bytes. */
export function plaintextBytesMax(row: EncryptionAlgorithm, key: KeyObject): number {
  return modulusBytes(key) - 2 * row.hash.bytes - 2
}

/** @throws {KmsError} `ValidationException` if the plaintext is too long for the modulus */
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
    // OpenSSL checks the padding in constant time. The caller must not learn why it failed.
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
