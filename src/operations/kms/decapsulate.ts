/**
 * Decapsulate — recovers the shared secret from a ciphertext made by Encapsulate or with the public key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decapsulate.html
 * @module
 */
import type { DecapsulateRequest, DecapsulateResponse } from '@aws-sdk/client-kms'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireAlgorithm } from './algorithm.ts'
import {
  ciphertext,
  dryRun,
  encapsulationAlgorithm,
  grantTokens,
  requiredKeyId,
} from './members.ts'

export const decapsulate = operation<DecapsulateRequest, DecapsulateResponse>()({
  name: 'Decapsulate',
  input: {
    KeyId: requiredKeyId,
    SharedSecretCiphertextBlob: required(ciphertext),
    EncapsulationAlgorithm: required(encapsulationAlgorithm),
    GrantTokens: grantTokens,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:Decapsulate',
      crossAccount: true,
      usage: 'ENCAPSULATE_DECAPSULATE',
      states: usableStates,
    },
  },
  context: (input) => ({ 'kms:EncapsulationAlgorithm': input.EncapsulationAlgorithm }),
  tracksUsage: 'Decapsulate',
  readOnly: true,
  audit: ['KeyId', 'EncapsulationAlgorithm', 'DryRun'],
  throws: [
    'InvalidGrantTokenException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'KeyUnavailableException',
    'InvalidCiphertextException',
    'DryRunOperationException',
  ],
  async run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.EncapsulationAlgorithm)
    const sealed = input.SharedSecretCiphertextBlob
    const secret = await keyStoreOf(key).decapsulate(key, algorithm, sealed, signal)
    return { KeyId: arn(key), SharedSecret: secret, EncapsulationAlgorithm: algorithm }
  },
})
