/**
 * Where a key's material lives: the one interface between operations and cryptography. The built-in
 * store keeps wrapped material in the database; HSMs and external stores come beside it.
 * @module
 */
import type { Encapsulated } from '../crypto/algorithms/encapsulation.ts'
import type { MessageType } from '../crypto/algorithms/signature-method.ts'
import type { WrappingKeySpec } from '../crypto/key-specs.ts'
import type { PairBytes } from '../crypto/slow-tasks.ts'
import type {
  KeyOrigin,
  KeyRecord,
  KeyRef,
  KeySpec,
  KeyUsage,
  MaterialRecord,
} from '../model/key.ts'

export type EncryptionContext = Readonly<Record<string, string>>

/** What a new key's material is made for. */
export interface NewMaterial {
  readonly accountId: string
  readonly region: string
  readonly keyId: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** How material is to be wrapped for an import: words of the API that fit the key. */
export interface Wrapping {
  readonly algorithm: string
  readonly keySpec: WrappingKeySpec
}

export interface ImportParameters {
  /** The wrapping key's public half: SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** Sealed; holds the private half, which is nowhere else. */
  readonly token: Uint8Array
  /** Milliseconds since the epoch. */
  readonly validTo: number
}

export interface Sealed {
  readonly ciphertext: Uint8Array
  /** 64 lower-case hex digits. */
  readonly materialId: string
}

export interface Opened {
  readonly plaintext: Buffer
  readonly materialId: string
}

/** What is signed, and whether it is the message, its digest or ML-DSA's μ. */
export interface Signed {
  readonly bytes: Uint8Array
  readonly type: MessageType
}

/**
 * Every method may be cancelled; one that fails for want of its backend throws
 * `KeyUnavailableException`, and one that has to wait where too many wait, `ThrottlingException`.
 *
 * `algorithm` is always the name of one that the key's spec has for its usage: the operation has checked
 * it, and refused any other in AWS's words.
 */
export interface KeyStore {
  /** Makes and wraps material; the caller stores the answer in the transaction that makes the key. */
  createMaterial(material: NewMaterial, signal: AbortSignal): Promise<MaterialRecord>
  /**
   * Checks material that somebody has chosen and wraps it as `createMaterial` does. A pair is PKCS #8, DER.
   * @throws {KmsError} `ValidationException` for what is not material of the spec
   */
  adoptMaterial(
    material: NewMaterial,
    plaintextMaterial: Uint8Array,
    signal: AbortSignal,
  ): Promise<MaterialRecord>
  /** Makes a wrapping key under which material of `key` can be sent. */
  importParameters(key: KeyRef, wrapping: Wrapping, signal: AbortSignal): Promise<ImportParameters>
  /**
   * Opens wrapped material and wraps it for the store, as `createMaterial` does; the caller decides whether
   * it may be the key's.
   * @throws {KmsError} `InvalidImportTokenException` for a token that was not issued for the key,
   *   `ExpiredImportTokenException`, and `InvalidCiphertextException` without a message for what is not
   *   material of the key's spec, wrapped as the token says
   */
  importMaterial(
    key: KeyRecord,
    token: Uint8Array,
    wrapped: Uint8Array,
    signal: AbortSignal,
  ): Promise<MaterialRecord>
  /**
   * Seals under the key's current material. `kind` is byte 2 of the blob: what an integrator sees in
   * the ciphertext's prefix, `AQICAH…` or `AQIDAH…`.
   */
  encrypt(
    key: KeyRecord,
    plaintext: Uint8Array,
    context: EncryptionContext,
    kind: 'ciphertext' | 'data-key',
    signal: AbortSignal,
  ): Promise<Sealed>
  /**
   * Opens a ciphertext of any of the key's materials.
   * @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause
   */
  decrypt(
    key: KeyRecord,
    ciphertext: Uint8Array,
    context: EncryptionContext,
    signal: AbortSignal,
  ): Promise<Opened>
  /** The public half of a pair: SubjectPublicKeyInfo, DER. */
  publicKey(key: KeyRecord, signal: AbortSignal): Promise<Uint8Array>
  /**
   * Encrypts with an asymmetric key: a bare ciphertext, without a header of ours.
   * @throws {KmsError} `ValidationException` for a plaintext that is too long
   */
  encryptBare(
    key: KeyRecord,
    algorithm: string,
    plaintext: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  /** @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause */
  decryptBare(
    key: KeyRecord,
    algorithm: string,
    ciphertext: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  /** @throws {KmsError} `ValidationException` for a type or a length that the algorithm does not take */
  sign(key: KeyRecord, algorithm: string, message: Signed, signal: AbortSignal): Promise<Uint8Array>
  /** Whether the signature, of any length, is the message's. @throws {KmsError} as `sign` does */
  verify(
    key: KeyRecord,
    algorithm: string,
    message: Signed,
    signature: Uint8Array,
    signal: AbortSignal,
  ): Promise<boolean>
  generateMac(
    key: KeyRecord,
    algorithm: string,
    message: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  /** Whether the MAC, of any length, is the message's, whole. */
  verifyMac(
    key: KeyRecord,
    algorithm: string,
    message: Uint8Array,
    mac: Uint8Array,
    signal: AbortSignal,
  ): Promise<boolean>
  /**
   * The secret shared with `peer`, SubjectPublicKeyInfo, DER. The caller overwrites it when done.
   * @throws {KmsError} `ValidationException` without a message for a peer that cannot be used
   */
  deriveSharedSecret(
    key: KeyRecord,
    algorithm: string,
    peer: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  encapsulate(key: KeyRecord, algorithm: string, signal: AbortSignal): Promise<Encapsulated>
  /** @throws {KmsError} `InvalidCiphertextException` without a message for one of another length */
  decapsulate(
    key: KeyRecord,
    algorithm: string,
    ciphertext: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  /** A fresh pair that is nobody's key: the caller overwrites the private half when done. */
  generateKeyPair(spec: KeySpec, signal: AbortSignal): Promise<PairBytes>
  random(length: number, signal: AbortSignal): Promise<Buffer>
}
