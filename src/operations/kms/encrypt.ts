/**
 * Encrypt — encrypts up to 4096 bytes under a symmetric key, or what fits under an RSA key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
 * @module
 */
import type { EncryptRequest, EncryptResponse } from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { blob, required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { encryptionContextEntries } from './context-entries.ts'
import { defaultAlgorithm, requireSealing, seal, sideOf } from './encryption.ts'
import {
  dryRun,
  encryptionAlgorithm,
  encryptionContext,
  grantTokens,
  requiredKeyId,
} from './members.ts'

export const encrypt = operation<EncryptRequest, EncryptResponse>()({
  name: 'Encrypt',
  input: {
    KeyId: requiredKeyId,
    Plaintext: required(blob({ min: 1, max: 4096, sensitive: true })),
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    EncryptionAlgorithm: encryptionAlgorithm,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      encryptionContext: 'EncryptionContext',
      action: 'kms:Encrypt',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:EncryptionAlgorithm': input.EncryptionAlgorithm ?? defaultAlgorithm,
    ...encryptionContextEntries(input.EncryptionContext),
  }),
  tracksUsage: 'Encrypt',
  readOnly: true,
  audit: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm', 'DryRun'],
  auditDefaults: () => ({ encryptionAlgorithm: defaultAlgorithm }),
  throws: [
    'InvalidGrantTokenException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'ValidationException',
    'KeyUnavailableException',
    'DryRunOperationException',
  ],
  run({ input, keys: { key }, arn, signal, usesMaterials, keyStoreOf }) {
    const side = sideOf(key, input.EncryptionAlgorithm, input.EncryptionContext)
    requireSealing(side)
    const store = keyStoreOf(key)
    return andThen(seal(store, side, input.Plaintext, signal), ({ ciphertext, materialId }) => {
      usesMaterials({ keyMaterialId: materialId })
      return { CiphertextBlob: ciphertext, KeyId: arn(key), EncryptionAlgorithm: side.algorithm }
    })
  },
})
