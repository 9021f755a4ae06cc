import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blob, readInput, ShapeMismatch, stringMap } from '../../src/model/shape.ts'

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

test('a blob is base64 in its only form: whole groups of four, with the padding that is needed', () => {
  const groups = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
  const shape = { Blob: blob({ min: 0, max: 100 }) }
  const isRead = (text: string): boolean => {
    try {
      return readInput(shape, { Blob: text }).failures.length === 0
    } catch (error) {
      assert.ok(error instanceof ShapeMismatch)
      return false
    }
  }
  const every = (text: string, more: number): void => {
    assert.equal(isRead(text), groups.test(text), JSON.stringify(text))
    if (more > 0) for (const next of ['A', '/', '=', '-', '\n']) every(text + next, more - 1)
  }
  every('', 6)
})
