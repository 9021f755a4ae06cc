/** Generates the key pair for GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext. @module */
import { KmsError } from '../../errors.ts'
import type { EncryptionContext, KeyStore, Sealed } from '../../keystores/keystore.ts'
import type { KeyRecord, KeySpec } from '../../model/key.ts'

/**
 * Returns the requested spec of the pair.
 * @throws {KmsError} `UnsupportedOperationException` for SM2, which exists only in China Regions
 */
export function requirePairSpec<S extends string>(input: {
  readonly KeyPairSpec: S | 'SM2'
}): Exclude<S, 'SM2'> {
  const { KeyPairSpec: spec } = input
  if (spec === 'SM2') {
    const message = 'KeyPairSpec SM2 is not supported in this Region'
    throw new KmsError('UnsupportedOperationException', message)
  }
  return spec as Exclude<S, 'SM2'> // only SM2 is excluded
}

/**
 * AWS generates no pairs under keys in custom key stores.
 * @throws {KmsError} `UnsupportedOperationException`
 */
export function requireOwnMaterial({ origin, customKeyStoreId }: KeyRecord, arn: string): void {
  if (customKeyStoreId === undefined) return
  const message = `${arn} origin is ${origin} which is not valid for this operation.`
  throw new KmsError('UnsupportedOperationException', message)
}

/**
 * Generates a key pair and encrypts its private key under `key`. The calling operation overwrites
 * `privateKey` unless it returns it.
 * @throws {KmsError} `InvalidKeyUsageException` unless `key` is a symmetric encryption key
 */
export async function makeDataKeyPair(
  keyStore: KeyStore,
  key: KeyRecord,
  spec: KeySpec,
  context: EncryptionContext,
  signal: AbortSignal,
): Promise<Sealed & { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array }> {
  if (key.spec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsError(
      'InvalidKeyUsageException',
      'You cannot generate a data key pair with an asymmetric CMK',
    )
  }
  const pair = await keyStore.generateKeyPair(spec, signal)
  try {
    const sealed = await keyStore.encrypt(key, pair.privateKey, context, 'data-key', signal)
    return { ...sealed, ...pair }
  } catch (error) {
    pair.privateKey.fill(0)
    throw error
  }
}
