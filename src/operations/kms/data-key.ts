/**
 * Generates the data key for GenerateDataKey and GenerateDataKeyWithoutPlaintext, and reads the
 * requested length.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { andThen, orElse, type Awaitable } from '../../model/awaitable.ts'
import type { KeyRecord } from '../../model/key.ts'
import { oneOf } from '../../model/shape.ts'
import type { EncryptionContext, KeyStore, Sealed } from '../../keystores/keystore.ts'

/** AWS accepts these two. Its message for any other value lists the specs of KMS keys instead. */
export const dataKeySpec = oneOf(
  ['AES_256', 'AES_128'],
  [
    'RSA_2048',
    'RSA_3072',
    'RSA_4096',
    'ECC_NIST_P256',
    'ECC_NIST_P384',
    'ECC_NIST_P521',
    'ECC_SECG_P256K1',
    'ECC_NIST_EDWARDS25519',
    'SYMMETRIC_DEFAULT',
    'HMAC_224',
    'HMAC_256',
    'HMAC_384',
    'HMAC_512',
    'SM2',
    'ML_DSA_44',
    'ML_DSA_65',
    'ML_DSA_87',
  ],
)

interface DataKeySize {
  readonly KeySpec?: 'AES_256' | 'AES_128'
  readonly NumberOfBytes?: number
}

const bytesOf = { AES_256: 32, AES_128: 16 } as const

/**
 * Returns the requested length of the data key in bytes.
 * @throws {KmsError} `ValidationException` unless exactly one of the two members is present
 */
export function dataKeyBytes({ KeySpec, NumberOfBytes }: DataKeySize): number {
  if (KeySpec !== undefined && NumberOfBytes === undefined) return bytesOf[KeySpec]
  if (KeySpec === undefined && NumberOfBytes !== undefined) return NumberOfBytes
  throw new KmsError('ValidationException', 'Please specify either number of bytes or key spec.')
}

/**
 * Generates a data key and encrypts it under `key`. The calling operation overwrites `plaintext` unless
 * it returns it.
 * @throws {KmsError} `InvalidKeyUsageException` unless `key` is a symmetric encryption key
 */
export function makeDataKey(
  keyStore: KeyStore,
  key: KeyRecord,
  size: DataKeySize,
  context: EncryptionContext,
  signal: AbortSignal,
): Awaitable<Sealed & { readonly plaintext: Buffer }> {
  if (key.spec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsError(
      'InvalidKeyUsageException',
      'You cannot generate a data key with an asymmetric CMK',
    )
  }
  return andThen(keyStore.random(dataKeyBytes(size), signal), (plaintext) => {
    const sealed = orElse(
      () => keyStore.encrypt(key, plaintext, context, 'data-key', signal),
      (error) => {
        plaintext.fill(0)
        throw error
      },
    )
    return andThen(sealed, (made) => ({ ...made, plaintext }))
  })
}
