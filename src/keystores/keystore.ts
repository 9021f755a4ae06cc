/**
 * The interface between operations and the place where key material lives. The built-in store keeps
 * wrapped material in the database; HSMs and external stores implement the same interface.
 * @module
 */
import type { Encapsulated } from '../crypto/algorithms/encapsulation.ts'
import type { MessageType } from '../crypto/algorithms/signature-method.ts'
import type { WrappingKeySpec } from '../crypto/key-specs.ts'
import type { PairBytes } from '../crypto/slow-tasks.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type {
  KeyOrigin,
  KeyRecord,
  KeyRef,
  KeySpec,
  KeyUsage,
  MaterialRecord,
} from '../model/key.ts'

export type EncryptionContext = Readonly<Record<string, string>>

/** The key that new material is for. */
export interface NewMaterial {
  readonly accountId: string
  readonly region: string
  readonly keyId: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  /** The custom key store that holds it. */
  readonly customKeyStoreId?: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** Where a key lives, or will. */
export type KeyPlace = Pick<KeyRecord, 'origin'> &
  Partial<Pick<KeyRecord, 'accountId' | 'region' | 'customKeyStoreId'>>

/** How an import wraps its material, in the API's words; the values fit the key. */
export interface Wrapping {
  readonly algorithm: string
  readonly keySpec: WrappingKeySpec
}

export interface ImportParameters {
  /** The public half of the wrapping key: SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** Sealed. It holds the only copy of the private half. */
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

/** Bytes to sign: the message, its digest or ML-DSA's μ. */
export interface Signed {
  readonly bytes: Uint8Array
  readonly type: MessageType
}

/** The call that uses a key. Key stores outside see who it is for. */
export interface StoreCall {
  readonly caller: Caller
  /** AWS's name of the operation. */
  readonly operation: string
  readonly requestId: string
  readonly arn: (key: KeyRef) => string
}

/**
 * A key store. Every method may be cancelled. Those that return an `Awaitable` answer at once if they have
 * nothing to wait for. A method throws `KeyUnavailableException` if its backend is unavailable, in a custom
 * key store `KMSInvalidStateException`, and `ThrottlingException` if too many calls wait for it.
 *
 * `algorithm` is always valid for the key's spec and usage: the operation has refused any other in
 * AWS's words.
 */
export interface KeyStore {
  /**
   * Generates and wraps material. The caller stores the result in the transaction that creates the
   * key.
   */
  createMaterial(material: NewMaterial, signal: AbortSignal): Promise<MaterialRecord>
  /**
   * Checks given material and wraps it as `createMaterial` does. A pair is PKCS #8, DER.
   * @throws {KmsError} `ValidationException` if it is not material of the spec
   */
  adoptMaterial(
    material: NewMaterial,
    plaintextMaterial: Uint8Array,
    signal: AbortSignal,
  ): Promise<MaterialRecord>
  /** Creates a wrapping key under which material of `key` can be sent. */
  importParameters(key: KeyRef, wrapping: Wrapping, signal: AbortSignal): Promise<ImportParameters>
  /**
   * Unwraps imported material and wraps it for the store, as `createMaterial` does. The caller
   * decides whether the key may have it.
   * @throws {KmsError} `InvalidImportTokenException` if the token was not issued for the key,
   * `ExpiredImportTokenException`, and `InvalidCiphertextException` without a message if the bytes
   * are not material of the key's spec, wrapped as the token says
   */
  importMaterial(
    key: KeyRecord,
    token: Uint8Array,
    wrapped: Uint8Array,
    signal: AbortSignal,
  ): Promise<MaterialRecord>
  /**
   * Encrypts under the key's current material. `kind` is byte 2 of the blob, visible in the prefix
   * of the ciphertext: `AQICAH…` or `AQIDAH…`.
   */
  encrypt(
    key: KeyRecord,
    plaintext: Uint8Array,
    context: EncryptionContext,
    kind: 'ciphertext' | 'data-key',
    signal: AbortSignal,
  ): Awaitable<Sealed>
  /**
   * Opens a ciphertext of any of the key's materials.
   * @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause
   */
  decrypt(
    key: KeyRecord,
    ciphertext: Uint8Array,
    context: EncryptionContext,
    signal: AbortSignal,
  ): Awaitable<Opened>
  /** Returns the public half of a pair: SubjectPublicKeyInfo, DER. */
  publicKey(key: KeyRecord, signal: AbortSignal): Awaitable<Uint8Array>
  /**
   * Encrypts with an asymmetric key. The ciphertext has no header.
   * @throws {KmsError} `ValidationException` if the plaintext is too long
   */
  encryptBare(
    key: KeyRecord,
    algorithm: string,
    plaintext: Uint8Array,
    signal: AbortSignal,
  ): Awaitable<Uint8Array>
  /** @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause */
  decryptBare(
    key: KeyRecord,
    algorithm: string,
    ciphertext: Uint8Array,
    signal: AbortSignal,
  ): Awaitable<Uint8Array>
  /**
   * @throws {KmsError} `ValidationException` for a message type or length that the algorithm does
   * not support
   */
  sign(
    key: KeyRecord,
    algorithm: string,
    message: Signed,
    signal: AbortSignal,
  ): Awaitable<Uint8Array>
  /**
   * Whether a signature, of any length, is valid for the message.
   * @throws {KmsError} like `sign`
   */
  verify(
    key: KeyRecord,
    algorithm: string,
    message: Signed,
    signature: Uint8Array,
    signal: AbortSignal,
  ): Awaitable<boolean>
  generateMac(
    key: KeyRecord,
    algorithm: string,
    message: Uint8Array,
    signal: AbortSignal,
  ): Awaitable<Uint8Array>
  /** Whether a MAC, of any length, is the message's whole MAC. */
  verifyMac(
    key: KeyRecord,
    algorithm: string,
    message: Uint8Array,
    mac: Uint8Array,
    signal: AbortSignal,
  ): Awaitable<boolean>
  /**
   * Returns the secret shared with `peer`, SubjectPublicKeyInfo, DER. The caller overwrites it when
   * done.
   * @throws {KmsError} `ValidationException` without a message if the peer's key is invalid
   */
  deriveSharedSecret(
    key: KeyRecord,
    algorithm: string,
    peer: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  encapsulate(key: KeyRecord, algorithm: string, signal: AbortSignal): Promise<Encapsulated>
  /** @throws {KmsError} `InvalidCiphertextException` without a message if the length is wrong */
  decapsulate(
    key: KeyRecord,
    algorithm: string,
    ciphertext: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array>
  /** Generates a pair that is not stored. The caller overwrites the private half when done. */
  generateKeyPair(spec: KeySpec, signal: AbortSignal): Promise<PairBytes>
  random(length: number, signal: AbortSignal): Awaitable<Buffer>
}
