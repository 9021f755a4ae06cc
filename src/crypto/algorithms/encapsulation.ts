/**
 * Encapsulate and Decapsulate: ML-KEM. @see FIPS 203 §7 @module
 */
import type { KeyObject } from 'node:crypto'
import { decapsulate as openSecret, encapsulate as sealSecret } from 'node:crypto'
import { KmsError } from '../../errors.ts'
import type { KeySpec } from '../../model/key.ts'
import type { KemAlgorithm } from './table.ts'

export interface Encapsulated {
  /** 32 bytes. The caller overwrites it when done. */
  readonly sharedSecret: Buffer
  readonly ciphertext: Buffer
}

/**
 * Creates a random secret, and the ciphertext from which the holder of the private key recovers it.
 */
export function encapsulate(publicKey: KeyObject): Encapsulated {
  const { sharedKey, ciphertext } = sealSecret(publicKey)
  return { sharedSecret: sharedKey, ciphertext }
}

/**
 * Returns the secret of a ciphertext. A ciphertext that nobody encapsulated yields a pseudorandom
 * secret that nobody knows (implicit rejection), so only its length can be wrong.
 * @throws {KmsError} `InvalidCiphertextException` without a message if the length is wrong
 */
export function decapsulate(
  row: KemAlgorithm,
  spec: KeySpec,
  privateKey: KeyObject,
  ciphertext: Uint8Array,
): Buffer {
  if (ciphertext.length !== row.ciphertextBytes.get(spec)) {
    throw new KmsError('InvalidCiphertextException')
  }
  return openSecret(privateKey, ciphertext)
}
