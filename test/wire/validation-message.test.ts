import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../src/errors.ts'
import {
  blob,
  integer,
  list,
  oneOf,
  readInput,
  required,
  structure,
  text,
  type Members,
} from '../../src/model/shape.ts'
import { messageCharactersMax, validationError } from '../../src/wire/validation-message.ts'

function sentenceFor(members: Members, input: unknown): string {
  const error = validationError(readInput(members, input).failures)
  assert.ok(error instanceof KmsError)
  assert.equal(error.code, 'ValidationException')
  return error.message
}

test('an absent member is null', () => {
  assert.equal(
    sentenceFor({ KeyId: required(text()) }, {}),
    "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
  )
})

test('several failures are counted, and said in the order they were found', () => {
  assert.equal(
    sentenceFor({ KeyId: required(text({ min: 1, pattern: '^\\p{ASCII}+$' })) }, { KeyId: '' }),
    "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: " +
      "Member must have length greater than or equal to 1; Value '' at 'keyId' failed to satisfy " +
      'constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$',
  )
})

test('a path into a list counts from one', () => {
  const Tags = list(structure({ TagKey: required(text({ min: 1, max: 128 })) }))
  assert.equal(
    sentenceFor({ Tags }, { Tags: [{ TagKey: 'k'.repeat(129) }] }),
    `1 validation error detected: Value '${'k'.repeat(129)}' at 'tags.1.member.tagKey' failed to ` +
      'satisfy constraint: Member must have length less than or equal to 128',
  )
})

test('numbers have a value, not a length', () => {
  const NumberOfBytes = integer({ min: 1, max: 1024 })
  assert.match(sentenceFor({ NumberOfBytes }, { NumberOfBytes: 0 }), /Value '0' at 'numberOfBytes'/)
  assert.match(
    sentenceFor({ NumberOfBytes }, { NumberOfBytes: 0 }),
    /Member must have value greater than or equal to 1$/,
  )
  assert.match(
    sentenceFor({ NumberOfBytes }, { NumberOfBytes: 1025 }),
    /Member must have value less than or equal to 1024$/,
  )
})

test('a closed set is printed in its order', () => {
  assert.equal(
    sentenceFor({ MessageType: oneOf(['RAW', 'DIGEST', 'EXTERNAL_MU']) }, { MessageType: 'X' }),
    "1 validation error detected: Value 'X' at 'messageType' failed to satisfy constraint: " +
      'Member must satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]',
  )
})

test('a blob hides its value but says that it is absent; a secret says neither', () => {
  const members = {
    Plaintext: required(blob({ min: 1, max: 2, sensitive: true })),
    CiphertextBlob: required(blob({ min: 1, max: 2 })),
  }
  const absent = sentenceFor(members, {})
  assert.match(absent, /Value at 'plaintext' failed .* Member must not be null;/)
  assert.match(absent, /Value null at 'ciphertextBlob' failed/)
  const long = sentenceFor(members, { Plaintext: 'AAAA', CiphertextBlob: 'AAAA' })
  assert.match(long, /Value at 'plaintext' failed .* less than or equal to 2;/)
  assert.match(long, /Value at 'ciphertextBlob' failed/)
  assert.ok(!long.includes('AAAA'))
})

test('a message is bounded, its count is not, and no character is cut in two', () => {
  const value = '😀'.repeat(500_000)
  const long = sentenceFor({ Description: text({ max: 8192 }) }, { Description: value })
  assert.ok(long.length <= messageCharactersMax)
  assert.ok(long.endsWith('...') && long.isWellFormed())
  const Tags = list(text({ min: 1 }))
  const many = sentenceFor({ Tags }, { Tags: Array<string>(50_000).fill('') })
  assert.ok(many.startsWith('50000 validation errors detected: ') && many.endsWith('...'))
  assert.equal(many.length, messageCharactersMax)
  const whole = sentenceFor({ Tags }, { Tags: Array<string>(50).fill('') })
  assert.ok(!whole.endsWith('...'))
})

test('no failures make no error', () => {
  assert.throws(() => validationError([]), TypeError)
})
