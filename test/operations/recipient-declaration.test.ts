/** An operation that takes a `Recipient` and does not declare what is encrypted for it does not compile. */
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
  // @ts-expect-error -- it declares no `recipient`
  declare(definition)
  // @ts-expect-error -- its output has no such member
  declare({ ...definition, recipient: 'PrivateKeyPlaintext' })
})
