/**
 * The ciphertext of Decrypt and ReEncrypt, which a dry run may do without.
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

/** How the call names the key that opens. */
interface NamedKey {
  readonly member: string
  readonly keyId: string | undefined
  readonly algorithm: string | undefined
}

/**
 * Everything that can be said of the ciphertext without its key.
 * @throws {KmsError} `ValidationException` when it is absent, or names no key and nothing else does
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
  // Only Trent's own ciphertexts name their key.
  const bare = (named.algorithm ?? defaultAlgorithm) !== defaultAlgorithm
  if ((ignored || bare) && named.keyId === undefined) {
    throw new KmsError('ValidationException', `${named.member} must not be null`)
  }
}

/** The ciphertext that the call is to open; undefined for a dry run that ignores it. */
export function ciphertextOf(input: GivenCiphertext): Uint8Array | undefined {
  return isIgnored(input) ? undefined : input.CiphertextBlob
}

function isIgnored({ DryRunModifiers = [] }: GivenCiphertext): boolean {
  return DryRunModifiers.includes('IGNORE_CIPHERTEXT')
}
