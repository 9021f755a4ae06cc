/** What does not compile: an operation that takes a `Recipient` and says not what is sealed for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerateRandomRequest, GenerateRandomResponse } from '@aws-sdk/client-kms'
import {
  customKeyStoreId,
  numberOfBytes,
  recipient as Recipient,
} from '../../src/operations/kms/members.ts'
import { operation } from '../../src/operations/contract/operation.ts'

const definition = {
  name: 'GenerateRandom',
  input: { NumberOfBytes: numberOfBytes, CustomKeyStoreId: customKeyStoreId, Recipient },
  keys: {},
  readOnly: true,
  audit: [],
  throws: [],
  run: async () => ({ Plaintext: Buffer.of(1) }),
} as const

test('an operation that takes a Recipient must say which member of its answer is sealed', () => {
  const declare = operation<GenerateRandomRequest, GenerateRandomResponse>()
  assert.equal(declare({ ...definition, recipient: 'Plaintext' }).recipient, 'Plaintext')
  // @ts-expect-error -- it says nothing
  declare(definition)
  // @ts-expect-error -- its answer has no such member
  declare({ ...definition, recipient: 'PrivateKeyPlaintext' })
})
