/**
 * GenerateRandom — returns random bytes from the key store.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html
 * @module
 */
import type { GenerateRandomRequest, GenerateRandomResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { andThen, type Awaitable } from '../../model/awaitable.ts'
import { operation } from '../contract/operation.ts'
import { requireKeyStore } from './key-stores.ts'
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
  throws: [
    'ValidationException',
    'UnsupportedOperationException',
    'AccessDeniedException',
    'CustomKeyStoreNotFoundException',
  ],
  check: (input) => void lengthOf(input),
  run(call, { store }) {
    const { input, signal } = call
    const random = (): Awaitable<Uint8Array> =>
      call.keyStoreOf({ origin: 'AWS_KMS' }).random(lengthOf(input), signal)
    const { CustomKeyStoreId: storeId } = input
    if (storeId === undefined) return andThen(random(), (bytes) => ({ Plaintext: bytes }))
    return requireKeyStore(store, call, storeId).then(() => {
      throw new KmsError(
        'UnsupportedOperationException',
        `Custom key store ${storeId} is an external key store, which generates no random bytes.`,
      )
    })
  },
})

/** @throws {KmsError} `ValidationException` without `NumberOfBytes` */
function lengthOf(input: { readonly NumberOfBytes?: number }): number {
  if (input.NumberOfBytes !== undefined) return input.NumberOfBytes
  throw new KmsError('ValidationException', 'NumberOfBytes is required.')
}
