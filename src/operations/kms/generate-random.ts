/**
 * GenerateRandom — returns random bytes from the key store.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html
 * @module
 */
import type { GenerateRandomRequest, GenerateRandomResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { andThen } from '../../model/awaitable.ts'
import { operation } from '../contract/operation.ts'
import { customKeyStoreId, numberOfBytes, recipient } from './members.ts'

export const generateRandom = operation<GenerateRandomRequest, GenerateRandomResponse>()({
  name: 'GenerateRandom',
  input: {
    NumberOfBytes: numberOfBytes,
    CustomKeyStoreId: customKeyStoreId,
    Recipient: recipient,
  },
  keys: {},
  recipient: 'Plaintext',
  permissions: () => [{ action: 'kms:GenerateRandom' }],
  readOnly: true,
  // AWS records only the custom key store of the request.
  audit: ['CustomKeyStoreId'],
  throws: ['ValidationException', 'UnsupportedOperationException', 'AccessDeniedException'],
  check(input) {
    lengthOf(input)
    if (input.CustomKeyStoreId !== undefined) {
      throw new KmsError('UnsupportedOperationException', 'custom key stores are not supported')
    }
  },
  run({ input, signal }, { keyStoreOf }) {
    const keyStore = keyStoreOf({ origin: 'AWS_KMS' })
    const random = keyStore.random(lengthOf(input), signal)
    return andThen(random, (bytes) => ({ Plaintext: bytes }))
  },
})

/** @throws {KmsError} `ValidationException` without `NumberOfBytes` */
function lengthOf(input: { readonly NumberOfBytes?: number }): number {
  if (input.NumberOfBytes !== undefined) return input.NumberOfBytes
  throw new KmsError('ValidationException', 'NumberOfBytes is required.')
}
