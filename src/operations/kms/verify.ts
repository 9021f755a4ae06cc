/**
 * Verify — checks the signature of a message; a wrong one is an exception.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html
 * @module
 */
import type { VerifyRequest, VerifyResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
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
  signature,
  signingAlgorithm,
} from './members.ts'

export const verify = operation<VerifyRequest, VerifyResponse>()({
  name: 'Verify',
  input: {
    KeyId: requiredKeyId,
    Message: required(message),
    MessageType: messageType,
    Signature: required(signature),
    SigningAlgorithm: required(signingAlgorithm),
    GrantTokens: grantTokens,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:Verify',
      crossAccount: true,
      usage: 'SIGN_VERIFY',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:SigningAlgorithm': input.SigningAlgorithm,
    'kms:MessageType': input.MessageType ?? 'RAW',
  }),
  tracksUsage: 'Verify',
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
    'KMSInvalidSignatureException',
    'DryRunOperationException',
  ],
  run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.SigningAlgorithm)
    const signed = { bytes: input.Message, type: input.MessageType ?? 'RAW' } as const
    const keyStore = keyStoreOf(key)
    const verified = keyStore.verify(key, algorithm, signed, input.Signature, signal)
    return andThen(verified, (valid) => {
      if (!valid) throw new KmsError('KMSInvalidSignatureException')
      return { KeyId: arn(key), SignatureValid: true, SigningAlgorithm: algorithm }
    })
  },
})
