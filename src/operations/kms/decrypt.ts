/**
 * Decrypt — decrypts a ciphertext made by Encrypt, ReEncrypt or a GenerateDataKey operation.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
 * @module
 */
import type { DecryptRequest, DecryptResponse } from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { encryptionContextEntries } from './context-entries.ts'
import { defaultAlgorithm, open, requireOpening, sideOf } from './encryption.ts'
import { checkGivenCiphertext, ciphertextOf } from './given-ciphertext.ts'
import {
  ciphertext,
  dryRun,
  dryRunModifiers,
  encryptionAlgorithm,
  encryptionContext,
  grantTokens,
  keyId,
  recipient,
} from './members.ts'

export const decrypt = operation<DecryptRequest, DecryptResponse>()({
  name: 'Decrypt',
  input: {
    // Optional only for a dry run without a ciphertext.
    CiphertextBlob: ciphertext,
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: keyId,
    EncryptionAlgorithm: encryptionAlgorithm,
    Recipient: recipient,
    DryRun: dryRun,
    DryRunModifiers: dryRunModifiers,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      ciphertext: 'CiphertextBlob',
      encryptionContext: 'EncryptionContext',
      action: 'kms:Decrypt',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:EncryptionAlgorithm': input.EncryptionAlgorithm ?? defaultAlgorithm,
    ...encryptionContextEntries(input.EncryptionContext),
  }),
  recipient: 'Plaintext',
  tracksUsage: 'Decrypt',
  readOnly: true,
  audit: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm', 'DryRun', 'DryRunModifiers'],
  auditDefaults: () => ({ encryptionAlgorithm: defaultAlgorithm }),
  throws: [
    'ValidationException',
    'InvalidGrantTokenException',
    'UnsupportedOperationException',
    'NotFoundException',
    'AccessDeniedException',
    'IncorrectKeyException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'KeyUnavailableException',
    'InvalidCiphertextException',
    'DryRunOperationException',
  ],
  check(input) {
    checkGivenCiphertext(input, {
      member: 'KeyId',
      keyId: input.KeyId,
      algorithm: input.EncryptionAlgorithm,
    })
  },
  run({ input, keys: { key }, arn, signal, usesMaterials, keyStoreOf }) {
    const side = sideOf(key, input.EncryptionAlgorithm, input.EncryptionContext)
    const sealed = ciphertextOf(input)
    requireOpening(side, sealed)
    if (sealed === undefined) return {} // a dry run without a ciphertext ends here
    return andThen(open(keyStoreOf(key), side, sealed, signal), ({ plaintext, materialId }) => {
      usesMaterials({ keyMaterialId: materialId })
      return {
        KeyId: arn(key),
        Plaintext: plaintext,
        EncryptionAlgorithm: side.algorithm,
        ...(materialId !== undefined && { KeyMaterialId: materialId }),
      }
    })
  },
})
