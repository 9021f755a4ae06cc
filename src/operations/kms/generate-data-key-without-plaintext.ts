/**
 * GenerateDataKeyWithoutPlaintext — generates a data key; returns it only encrypted.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html
 * @module
 */
import type {
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse,
} from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { encryptionContextEntries } from './context-entries.ts'
import { dataKeyBytes, dataKeySpec, makeDataKey } from './data-key.ts'
import { dryRun, encryptionContext, grantTokens, numberOfBytes, requiredKeyId } from './members.ts'

export const generateDataKeyWithoutPlaintext = operation<
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse
>()({
  name: 'GenerateDataKeyWithoutPlaintext',
  input: {
    KeyId: requiredKeyId,
    EncryptionContext: encryptionContext,
    NumberOfBytes: numberOfBytes,
    KeySpec: dataKeySpec,
    GrantTokens: grantTokens,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      encryptionContext: 'EncryptionContext',
      action: 'kms:GenerateDataKeyWithoutPlaintext',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    ...encryptionContextEntries(input.EncryptionContext),
  }),
  tracksUsage: 'GenerateDataKeyWithoutPlaintext',
  readOnly: true,
  audit: ['KeyId', 'EncryptionContext', 'NumberOfBytes', 'KeySpec', 'DryRun'],
  throws: [
    'ValidationException',
    'InvalidGrantTokenException',
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
      dataKey.plaintext.fill(0)
      return {
        CiphertextBlob: dataKey.ciphertext,
        KeyId: arn(key),
        KeyMaterialId: dataKey.materialId,
      }
    })
  },
})
