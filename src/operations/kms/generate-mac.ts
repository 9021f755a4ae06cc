/**
 * GenerateMac — computes the HMAC of a message.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
 * @module
 */
import type { GenerateMacRequest, GenerateMacResponse } from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireAlgorithm } from './algorithm.ts'
import { dryRun, grantTokens, macAlgorithm, message, requiredKeyId } from './members.ts'

export const generateMac = operation<GenerateMacRequest, GenerateMacResponse>()({
  name: 'GenerateMac',
  input: {
    Message: required(message),
    KeyId: requiredKeyId,
    MacAlgorithm: required(macAlgorithm),
    GrantTokens: grantTokens,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:GenerateMac',
      crossAccount: true,
      usage: 'GENERATE_VERIFY_MAC',
      states: usableStates,
    },
  },
  context: (input) => ({ 'kms:MacAlgorithm': input.MacAlgorithm }),
  tracksUsage: 'GenerateMac',
  readOnly: true,
  audit: ['KeyId', 'MacAlgorithm', 'DryRun'],
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
  run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.MacAlgorithm)
    return andThen(keyStoreOf(key).generateMac(key, algorithm, input.Message, signal), (mac) => ({
      Mac: mac,
      MacAlgorithm: algorithm,
      KeyId: arn(key),
    }))
  },
})
