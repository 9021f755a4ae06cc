/**
 * What Encrypt, Decrypt and ReEncrypt share: sealing and opening under either kind of key, and what is
 * checked before.
 * @module
 */
import { KmsError } from '../../errors.ts'
import type { EncryptionContext, KeyStore } from '../../keystores/keystore.ts'
import type { KeyRecord } from '../../model/key.ts'
import { hasAlgorithm, requireAlgorithm } from './algorithm.ts'

export const defaultAlgorithm = 'SYMMETRIC_DEFAULT'

/** A key and how a call uses it. */
export interface Side<A extends string> {
  readonly key: KeyRecord
  readonly algorithm: A
  readonly context: EncryptionContext
}

/** One side of a call, with AWS's defaults. */
export function sideOf<A extends string>(
  key: KeyRecord,
  algorithm: A | undefined,
  context: EncryptionContext | undefined,
): Side<A | typeof defaultAlgorithm> {
  return { key, algorithm: algorithm ?? defaultAlgorithm, context: context ?? {} }
}

/**
 * What must hold before anything is sealed.
 * @throws {KmsError} `InvalidKeyUsageException`, then `ValidationException`
 */
export function requireSealing(side: Side<string>): void {
  requireAlgorithm(side.key, side.algorithm)
  refuseContext(side)
}

/**
 * What must hold before `ciphertext` is opened. An algorithm that an asymmetric key does not have is no
 * matter here: at AWS it is the ciphertext that is found to be invalid, where there is one.
 * @throws {KmsError} `InvalidKeyUsageException`, then `ValidationException`
 */
export function requireOpening(side: Side<string>, ciphertext: Uint8Array | undefined): void {
  if (ciphertext === undefined || isSymmetric(side.key)) {
    requireAlgorithm(side.key, side.algorithm)
  }
  refuseContext(side)
}

/**
 * `materialId` is of symmetric keys only: AWS shows no other.
 * @throws {KmsError} `ValidationException` for no bytes under a symmetric key: only an RSA ciphertext that
 *   somebody made offline can hold none
 */
export async function seal(
  keyStore: KeyStore,
  { key, algorithm, context }: Side<string>,
  plaintext: Uint8Array,
  signal: AbortSignal,
): Promise<{ readonly ciphertext: Uint8Array; readonly materialId?: string }> {
  if (isSymmetric(key)) {
    if (plaintext.length === 0) {
      throw new KmsError('ValidationException', 'a symmetric key seals no empty plaintext')
    }
    return keyStore.encrypt(key, plaintext, context, 'ciphertext', signal)
  }
  return { ciphertext: await keyStore.encryptBare(key, algorithm, plaintext, signal) }
}

/**
 * The caller overwrites `plaintext` where it does not leave in the answer.
 * @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause
 */
export async function open(
  keyStore: KeyStore,
  { key, algorithm, context }: Side<string>,
  ciphertext: Uint8Array,
  signal: AbortSignal,
): Promise<{ readonly plaintext: Uint8Array; readonly materialId?: string }> {
  if (isSymmetric(key)) return keyStore.decrypt(key, ciphertext, context, signal)
  if (!hasAlgorithm(key, algorithm)) throw new KmsError('InvalidCiphertextException')
  return { plaintext: await keyStore.decryptBare(key, algorithm, ciphertext, signal) }
}

function isSymmetric(key: KeyRecord): boolean {
  return key.spec === 'SYMMETRIC_DEFAULT'
}

/** Bare ciphertexts have no place for a context: one that is given would be taken for checked. */
function refuseContext({ key, context }: Side<string>): void {
  if (isSymmetric(key) || Object.keys(context).length === 0) return
  throw new KmsError(
    'ValidationException',
    'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
  )
}
