/**
 * GetPublicKey — returns the public key of an asymmetric key, with its usage and algorithms.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
 * @module
 */
import type { GetPublicKeyRequest, GetPublicKeyResponse } from '@aws-sdk/client-kms'
import type { CustomerMasterKeySpec } from '@aws-sdk/client-kms'
import { keySpecs } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import { usableStates } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { algorithmList } from './key-metadata.ts'
import { grantTokens, requiredKeyId } from './members.ts'

export const getPublicKey = operation<GetPublicKeyRequest, GetPublicKeyResponse>()({
  name: 'GetPublicKey',
  input: {
    KeyId: requiredKeyId,
    GrantTokens: grantTokens,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:GetPublicKey',
      crossAccount: true,
      states: [...usableStates, 'Disabled'],
    },
  },
  readOnly: true,
  audit: ['KeyId'],
  throws: [
    'InvalidGrantTokenException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
    'UnsupportedOperationException',
    'KeyUnavailableException',
  ],
  async run({ keys: { key }, arn, signal, keyStoreOf }) {
    // When the spec is the reason, AWS sends no message.
    if (keySpecs[key.spec].kind !== 'asymmetric') {
      throw new KmsError('UnsupportedOperationException')
    }
    return {
      KeyId: arn(key),
      PublicKey: await keyStoreOf(key).publicKey(key, signal),
      // As in KeyMetadata: AWS sends the deprecated member with every spec, even those that its enum lacks.
      CustomerMasterKeySpec: key.spec as CustomerMasterKeySpec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      ...algorithmList(key),
    }
  },
})
