/**
 * GenerateRandom — returns random bytes from the key store.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html
 * @module
 */
import type { GenerateRandomRequest, GenerateRandomResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { clusterNotConnected } from '../../keystores/hsm/hsm-failure.ts'
import type { KeyPlace } from '../../keystores/keystore.ts'
import { andThen, type Awaitable } from '../../model/awaitable.ts'
import type { CustomKeyStoreRecord } from '../../model/custom-key-store.ts'
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
    'CustomKeyStoreInvalidStateException',
    'KMSInvalidStateException',
    'ThrottlingException',
  ],
  check: (input) => void lengthOf(input),
  run(call, { store }) {
    const { input, signal } = call
    const random = (place: KeyPlace): Awaitable<Uint8Array> =>
      call.keyStoreOf(place).random(lengthOf(input), signal)
    const { CustomKeyStoreId: storeId } = input
    const bytes =
      storeId === undefined
        ? random({ origin: 'AWS_KMS' })
        : requireKeyStore(store, call, storeId).then((found) => random(placeIn(found)))
    return andThen(bytes, (plaintext) => ({ Plaintext: plaintext }))
  },
})

/** @throws {KmsError} `UnsupportedOperationException`, `CustomKeyStoreInvalidStateException` */
function placeIn({ type, connection, accountId, region, storeId }: CustomKeyStoreRecord): KeyPlace {
  if (type === 'EXTERNAL_KEY_STORE') {
    throw new KmsError(
      'UnsupportedOperationException',
      `Custom key store ${storeId} is an external key store, which generates no random bytes.`,
    )
  }
  if (connection !== 'CONNECTED') throw clusterNotConnected('CustomKeyStoreInvalidStateException')
  return { origin: type, accountId, region, customKeyStoreId: storeId }
}

/** @throws {KmsError} `ValidationException` without `NumberOfBytes` */
function lengthOf(input: { readonly NumberOfBytes?: number }): number {
  if (input.NumberOfBytes !== undefined) return input.NumberOfBytes
  throw new KmsError('ValidationException', 'NumberOfBytes is required.')
}
