/**
 * VerifyMac — checks the HMAC of a message; a wrong one is an exception.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
 * @module
 */
import type { VerifyMacRequest, VerifyMacResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { andThen } from '../../model/awaitable.ts'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireAlgorithm } from './algorithm.ts'
import { dryRun, grantTokens, mac, macAlgorithm, message, requiredKeyId } from './members.ts'

export const verifyMac = operation<VerifyMacRequest, VerifyMacResponse>()({
  name: 'VerifyMac',
  input: {
    Message: required(message),
    KeyId: requiredKeyId,
    MacAlgorithm: required(macAlgorithm),
    Mac: required(mac),
    GrantTokens: grantTokens,
    DryRun: dryRun,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'any',
      action: 'kms:VerifyMac',
      crossAccount: true,
      usage: 'GENERATE_VERIFY_MAC',
      states: usableStates,
    },
  },
  context: (input) => ({ 'kms:MacAlgorithm': input.MacAlgorithm }),
  tracksUsage: 'VerifyMac',
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
    'KMSInvalidMacException',
    'DryRunOperationException',
  ],
  run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const algorithm = requireAlgorithm(key, input.MacAlgorithm)
    const keyStore = keyStoreOf(key)
    const verified = keyStore.verifyMac(key, algorithm, input.Message, input.Mac, signal)
    return andThen(verified, (valid) => {
      if (!valid) throw new KmsError('KMSInvalidMacException')
      return { KeyId: arn(key), MacValid: true, MacAlgorithm: algorithm }
    })
  },
})
