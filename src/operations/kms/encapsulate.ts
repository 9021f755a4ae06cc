/**
 * Encapsulate — generates a shared secret and the ciphertext from which Decapsulate recovers it.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encapsulate.html
 * @module
 */
import type { EncapsulateRequest, EncapsulateResponse } from '@aws-sdk/client-kms'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireAlgorithm } from './algorithm.ts'
import { dryRun, encapsulationAlgorithm, grantTokens, requiredKeyId } from './members.ts'

export const encapsulate = operation<EncapsulateRequest, EncapsulateResponse>()({
  name: 'Encapsulate',
  input: {
    KeyId: requiredKeyId,
    EncapsulationAlgorithm: required(encapsulationAlgorithm),
    GrantTokens: grantTokens,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:Encapsulate',
      crossAccount: true,
      usage: 'ENCAPSULATE_DECAPSULATE',
      states: usableStates,
    },
  },
  context: (input) => ({ 'kms:EncapsulationAlgorithm': input.EncapsulationAlgorithm }),
  tracksUsage: 'Encapsulate',
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
    'DryRunOperationException',
  ],
  async run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.EncapsulationAlgorithm)
    const made = await keyStoreOf(key).encapsulate(key, algorithm, signal)
    return {
      KeyId: arn(key),
      SharedSecret: made.sharedSecret,
      SharedSecretCiphertextBlob: made.ciphertext,
      EncapsulationAlgorithm: algorithm,
    }
  },
})
