/**
 * GetParametersForImport — returns a public key that wraps material, and the import token for unwrapping
 * it.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html
 * @module
 */
import type {
  GetParametersForImportRequest,
  GetParametersForImportResponse,
} from '@aws-sdk/client-kms'
import { canWrap } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import type { Wrapping } from '../../keystores/keystore.ts'
import type { KeyRecord } from '../../model/key.ts'
import { anyState } from '../../model/key-state.ts'
import { oneOf, required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireImported, importStates } from './imported.ts'
import { requiredKeyId } from './members.ts'

export const getParametersForImport = operation<
  GetParametersForImportRequest,
  GetParametersForImportResponse
>()({
  name: 'GetParametersForImport',
  input: {
    KeyId: requiredKeyId,
    WrappingAlgorithm: required(
      oneOf([
        'RSAES_PKCS1_V1_5',
        'RSAES_OAEP_SHA_1',
        'RSAES_OAEP_SHA_256',
        'RSA_AES_KEY_WRAP_SHA_1',
        'RSA_AES_KEY_WRAP_SHA_256',
        'SM2PKE',
      ]),
    ),
    WrappingKeySpec: required(oneOf(['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'])),
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:GetParametersForImport',
      crossAccount: false,
      // `run` checks the state, after it has checked the origin.
      states: anyState,
    },
  },
  context: (input) => ({
    'kms:WrappingAlgorithm': input.WrappingAlgorithm,
    'kms:WrappingKeySpec': input.WrappingKeySpec,
  }),
  readOnly: true,
  audit: ['KeyId', 'WrappingAlgorithm', 'WrappingKeySpec'],
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'UnsupportedOperationException',
    'KMSInvalidStateException',
    'ValidationException',
    'ThrottlingException',
  ],
  async run({ input, keys: { key }, arn, signal, keyStoreOf }) {
    const KeyId = arn(key)
    requireImported(key, KeyId, importStates)
    const wrapping = requireWrapping(input, key)
    const parameters = await keyStoreOf(key).importParameters(key, wrapping, signal)
    return {
      KeyId,
      ImportToken: parameters.token,
      PublicKey: parameters.publicKey,
      ParametersValidTo: new Date(parameters.validTo),
    }
  },
})

/** @throws {KmsError} `UnsupportedOperationException`, `ValidationException` */
function requireWrapping(
  { WrappingAlgorithm: algorithm, WrappingKeySpec: keySpec }: GetParametersForImportRequest,
  { spec }: KeyRecord,
): Wrapping {
  if (algorithm === 'SM2PKE' || keySpec === 'SM2') {
    const message = 'WrappingAlgorithm SM2PKE is not supported in this Region'
    throw new KmsError('UnsupportedOperationException', message)
  }
  if (algorithm !== undefined && keySpec !== undefined && canWrap(algorithm, keySpec, spec)) {
    return { algorithm, keySpec }
  }
  throw new KmsError(
    'ValidationException',
    `Wrapping algorithm ${algorithm} and wrapping key spec ${keySpec} cannot be used to import ` +
      `a ${spec} key.`,
  )
}
