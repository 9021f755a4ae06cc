/**
 * GenerateDataKey — generates a data key; returns it in plaintext and encrypted under a KMS key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 * @module
 */
import type { GenerateDataKeyRequest, GenerateDataKeyResponse } from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { encryptionContextEntries } from './context-entries.ts'
import { dataKeyBytes, dataKeySpec, makeDataKey } from './data-key.ts'
import {
  dryRun,
  encryptionContext,
  grantTokens,
  numberOfBytes,
  recipient,
  requiredKeyId,
} from './members.ts'

export const generateDataKey = operation<GenerateDataKeyRequest, GenerateDataKeyResponse>()({
  name: 'GenerateDataKey',
  input: {
    KeyId: requiredKeyId,
    EncryptionContext: encryptionContext,
    NumberOfBytes: numberOfBytes,
    KeySpec: dataKeySpec,
    GrantTokens: grantTokens,
    Recipient: recipient,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      encryptionContext: 'EncryptionContext',
      action: 'kms:GenerateDataKey',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    ...encryptionContextEntries(input.EncryptionContext),
  }),
  recipient: 'Plaintext',
  tracksUsage: 'GenerateDataKey',
  readOnly: true,
  audit: ['KeyId', 'EncryptionContext', 'NumberOfBytes', 'KeySpec', 'DryRun'],
  throws: [
    'ValidationException',
    'InvalidGrantTokenException',
    'UnsupportedOperationException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'KeyUnavailableException',
    'DryRunOperationException',
  ],
  check(input) {
    dataKeyBytes(input)
  },
  run({ input, keys: { key }, arn, signal, usesMaterials, keyStoreOf }) {
    const context = input.EncryptionContext ?? {}
    return andThen(makeDataKey(keyStoreOf(key), key, input, context, signal), (dataKey) => {
      usesMaterials({ keyMaterialId: dataKey.materialId })
      return {
        CiphertextBlob: dataKey.ciphertext,
        Plaintext: dataKey.plaintext,
        KeyId: arn(key),
        KeyMaterialId: dataKey.materialId,
      }
    })
  },
})
