/**
 * Encryption and decryption under symmetric and RSA keys for Encrypt, Decrypt and ReEncrypt, with the
 * checks before them.
 * @module
 */
import { KmsError } from '../../errors.ts'
import type { EncryptionContext, KeyStore } from '../../keystores/keystore.ts'
import { andThen, type Awaitable } from '../../model/awaitable.ts'
import type { KeyRecord } from '../../model/key.ts'
import { hasAlgorithm, requireAlgorithm } from './algorithm.ts'

export const defaultAlgorithm = 'SYMMETRIC_DEFAULT'

/** A key, and the algorithm and context that a call uses with it. */
export interface Side<A extends string> {
  readonly key: KeyRecord
  readonly algorithm: A
  readonly context: EncryptionContext
}

/** Fills in AWS's defaults for one side of a call. */
export function sideOf<A extends string>(
  key: KeyRecord,
  algorithm: A | undefined,
  context: EncryptionContext | undefined,
): Side<A | typeof defaultAlgorithm> {
  return { key, algorithm: algorithm ?? defaultAlgorithm, context: context ?? {} }
}

/**
 * Checks that a call may encrypt.
 * @throws {KmsError} `InvalidKeyUsageException`, then `ValidationException`
 */
export function requireSealing(side: Side<string>): void {
  requireAlgorithm(side.key, side.algorithm)
  refuseContext(side)
}

/**
 * Checks that a call may decrypt `ciphertext`. An algorithm that an asymmetric key does not support is not
 * refused here if there is a ciphertext: AWS calls the ciphertext invalid instead.
 * @throws {KmsError} `InvalidKeyUsageException`, then `ValidationException`
 */
export function requireOpening(side: Side<string>, ciphertext: Uint8Array | undefined): void {
  if (ciphertext === undefined || isSymmetric(side.key)) {
    requireAlgorithm(side.key, side.algorithm)
  }
  refuseContext(side)
}

/**
 * Encrypts under the key of `side`. `materialId` is present for symmetric keys only, as AWS returns it only
 * for these.
 * @throws {KmsError} `ValidationException` for an empty plaintext under a symmetric key. An RSA ciphertext
 *   that somebody made offline can hold an empty plaintext.
 */
export function seal(
  keyStore: KeyStore,
  { key, algorithm, context }: Side<string>,
  plaintext: Uint8Array,
  signal: AbortSignal,
): Awaitable<{ readonly ciphertext: Uint8Array; readonly materialId?: string }> {
  if (isSymmetric(key)) {
    if (plaintext.length === 0) {
      throw new KmsError('ValidationException', 'a symmetric key seals no empty plaintext')
    }
    return keyStore.encrypt(key, plaintext, context, 'ciphertext', signal)
  }
  const sealed = keyStore.encryptBare(key, algorithm, plaintext, signal)
  return andThen(sealed, (ciphertext) => ({ ciphertext }))
}

/**
 * Decrypts `ciphertext`. The calling operation overwrites `plaintext` unless it returns it.
 * @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause
 */
export function open(
  keyStore: KeyStore,
  { key, algorithm, context }: Side<string>,
  ciphertext: Uint8Array,
  signal: AbortSignal,
): Awaitable<{ readonly plaintext: Uint8Array; readonly materialId?: string }> {
  if (isSymmetric(key)) return keyStore.decrypt(key, ciphertext, context, signal)
  if (!hasAlgorithm(key, algorithm)) throw new KmsError('InvalidCiphertextException')
  const opened = keyStore.decryptBare(key, algorithm, ciphertext, signal)
  return andThen(opened, (plaintext) => ({ plaintext }))
}

function isSymmetric(key: KeyRecord): boolean {
  return key.spec === 'SYMMETRIC_DEFAULT'
}

/** RSA ciphertexts do not bind a context. Accepting one would suggest that it was checked. */
function refuseContext({ key, context }: Side<string>): void {
  if (isSymmetric(key) || Object.keys(context).length === 0) return
  throw new KmsError(
    'ValidationException',
    'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
  )
}
