/**
 * Sign — signs a message, or its digest.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 * @module
 */
import type { SignRequest, SignResponse } from '@aws-sdk/client-kms'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireAlgorithm } from './algorithm.ts'
import {
  dryRun,
  grantTokens,
  message,
  messageType,
  requiredKeyId,
  signingAlgorithm,
} from './members.ts'

export const sign = operation<SignRequest, SignResponse>()({
  name: 'Sign',
  input: {
    KeyId: requiredKeyId,
    Message: required(message),
    MessageType: messageType,
    GrantTokens: grantTokens,
    SigningAlgorithm: required(signingAlgorithm),
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:Sign',
      crossAccount: true,
      usage: 'SIGN_VERIFY',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:SigningAlgorithm': input.SigningAlgorithm,
    'kms:MessageType': input.MessageType ?? 'RAW',
  }),
  tracksUsage: 'Sign',
  readOnly: true,
  audit: ['KeyId', 'MessageType', 'SigningAlgorithm', 'DryRun'],
  auditDefaults: () => ({ messageType: 'RAW' }),
  throws: [
    'InvalidGrantTokenException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'ValidationException',
    'ThrottlingException',
    'KeyUnavailableException',
    'DryRunOperationException',
  ],
  run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.SigningAlgorithm)
    const signed = { bytes: input.Message, type: input.MessageType ?? 'RAW' } as const
    return andThen(keyStoreOf(key).sign(key, algorithm, signed, signal), (signature) => ({
      KeyId: arn(key),
      Signature: signature,
      SigningAlgorithm: algorithm,
    }))
  },
})
