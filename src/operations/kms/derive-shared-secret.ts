/**
 * DeriveSharedSecret — derives the ECDH secret of a key and another party's public key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html
 * @module
 */
import type { DeriveSharedSecretRequest, DeriveSharedSecretResponse } from '@aws-sdk/client-kms'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireAlgorithm } from './algorithm.ts'
import {
  dryRun,
  grantTokens,
  keyAgreementAlgorithm,
  publicKey,
  recipient,
  requiredKeyId,
} from './members.ts'

export const deriveSharedSecret = operation<
  DeriveSharedSecretRequest,
  DeriveSharedSecretResponse
>()({
  name: 'DeriveSharedSecret',
  input: {
    KeyId: requiredKeyId,
    KeyAgreementAlgorithm: required(keyAgreementAlgorithm),
    PublicKey: required(publicKey),
    GrantTokens: grantTokens,
    DryRun: dryRun,
    Recipient: recipient,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:DeriveSharedSecret',
      crossAccount: true,
      usage: 'KEY_AGREEMENT',
      states: usableStates,
    },
  },
  context: (input) => ({ 'kms:KeyAgreementAlgorithm': input.KeyAgreementAlgorithm }),
  recipient: 'SharedSecret',
  tracksUsage: 'DeriveSharedSecret',
  readOnly: true,
  audit: ['KeyId', 'KeyAgreementAlgorithm', 'DryRun'],
  throws: [
    'InvalidGrantTokenException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'KeyUnavailableException',
    'ThrottlingException',
    'ValidationException',
    'DryRunOperationException',
  ],
  async run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.KeyAgreementAlgorithm)
    const keyStore = keyStoreOf(key)
    const secret = await keyStore.deriveSharedSecret(key, algorithm, input.PublicKey, signal)
    return {
      KeyId: arn(key),
      SharedSecret: secret,
      KeyAgreementAlgorithm: algorithm,
      KeyOrigin: key.origin,
    }
  },
})
