import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readInput, stringMap } from '../../src/model/shape.ts'

const members = { EncryptionContext: stringMap() }
const pairs = (count: number): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))

test('a map of strings is read whole up to its bound, without a prototype', () => {
  const given = pairs(4096)
  const { input, failures } = readInput(members, { EncryptionContext: given })
  assert.deepEqual(failures, [])
  assert.deepEqual({ ...input.EncryptionContext }, given)
  assert.equal(Object.getPrototypeOf(input.EncryptionContext), null)
})

test('a map of more pairs is a failure that shows none of them, and none is read', () => {
  const { input, failures } = readInput(members, { EncryptionContext: pairs(4097) })
  assert.deepEqual(failures, [
    {
      path: 'encryptionContext',
      value: null,
      constraint: { kind: 'maxLength', limit: 4096 },
    },
  ])
  assert.deepEqual(Object.keys(input.EncryptionContext ?? {}), [])
})
