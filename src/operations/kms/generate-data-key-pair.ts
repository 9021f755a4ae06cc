/**
 * GenerateDataKeyPair — generates a key pair; returns the private key in plaintext and encrypted.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html
 * @module
 */
import type { GenerateDataKeyPairRequest, GenerateDataKeyPairResponse } from '@aws-sdk/client-kms'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { encryptionContextEntries } from './context-entries.ts'
import { makeDataKeyPair, requireOwnMaterial, requirePairSpec } from './data-key-pair.ts'
import {
  dryRun,
  encryptionContext,
  grantTokens,
  keyPairSpec,
  recipient,
  requiredKeyId,
} from './members.ts'

export const generateDataKeyPair = operation<
  GenerateDataKeyPairRequest,
  GenerateDataKeyPairResponse
>()({
  name: 'GenerateDataKeyPair',
  input: {
    EncryptionContext: encryptionContext,
    KeyId: requiredKeyId,
    KeyPairSpec: required(keyPairSpec),
    GrantTokens: grantTokens,
    Recipient: recipient,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      encryptionContext: 'EncryptionContext',
      action: 'kms:GenerateDataKeyPair',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
  },
  context: (input) => ({
    'kms:DataKeyPairSpec': input.KeyPairSpec,
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    ...encryptionContextEntries(input.EncryptionContext),
  }),
  recipient: 'PrivateKeyPlaintext',
  tracksUsage: 'GenerateDataKeyPair',
  readOnly: true,
  audit: ['EncryptionContext', 'KeyId', 'KeyPairSpec', 'DryRun'],
  throws: [
    'InvalidGrantTokenException',
    'UnsupportedOperationException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'ThrottlingException',
    'KeyUnavailableException',
    'DryRunOperationException',
  ],
  check(input) {
    requirePairSpec(input)
  },
  async run({ input, keys: { key }, arn, signal, usesMaterials, keyStoreOf }) {
    const context = input.EncryptionContext ?? {}
    const spec = requirePairSpec(input)
    requireOwnMaterial(key, arn(key))
    const pair = await makeDataKeyPair(keyStoreOf(key), key, spec, context, signal)
    usesMaterials({ keyMaterialId: pair.materialId })
    return {
      PrivateKeyCiphertextBlob: pair.ciphertext,
      PrivateKeyPlaintext: pair.privateKey,
      PublicKey: pair.publicKey,
      KeyId: arn(key),
      KeyPairSpec: spec,
      KeyMaterialId: pair.materialId,
    }
  },
})
