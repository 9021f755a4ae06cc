/**
 * The input ciphertext of Decrypt and ReEncrypt, which is optional in a dry run.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#KMS-Decrypt-request-DryRunModifiers
 * @module
 */
import { KmsError } from '../../errors.ts'
import { defaultAlgorithm } from './encryption.ts'

interface GivenCiphertext {
  readonly CiphertextBlob?: Uint8Array
  readonly DryRun?: boolean
  readonly DryRunModifiers?: readonly string[]
}

/** How the call names the decryption key. */
interface NamedKey {
  readonly member: string
  readonly keyId: string | undefined
  readonly algorithm: string | undefined
}

/**
 * Checks of the ciphertext that need no key.
 * @throws {KmsError} `ValidationException` when it is absent, or when neither it nor the call names a key
 */
export function checkGivenCiphertext(input: GivenCiphertext, named: NamedKey): void {
  const ignored = isIgnored(input)
  if (ignored && input.DryRun !== true) {
    throw new KmsError('ValidationException', '`DryRunModifiers` needs `DryRun`')
  }
  if (!ignored && input.CiphertextBlob === undefined) {
    throw new KmsError(
      'ValidationException',
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: " +
        'Member must not be null',
    )
  }
  // Only symmetric ciphertexts name their key.
  const bare = (named.algorithm ?? defaultAlgorithm) !== defaultAlgorithm
  if ((ignored || bare) && named.keyId === undefined) {
    throw new KmsError('ValidationException', `${named.member} must not be null`)
  }
}

/** The ciphertext to decrypt; undefined for a dry run that ignores it. */
export function ciphertextOf(input: GivenCiphertext): Uint8Array | undefined {
  return isIgnored(input) ? undefined : input.CiphertextBlob
}

function isIgnored({ DryRunModifiers = [] }: GivenCiphertext): boolean {
  return DryRunModifiers.includes('IGNORE_CIPHERTEXT')
}
