import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createSeenSignatures } from '../../src/authenticate/seen-signatures.ts'

const notNew = { code: 'InvalidSignatureException' }

test('a signature is taken once', () => {
  const seen = createSeenSignatures(1000)
  seen.take('a', 1001, 1001)
  seen.take('b', 1001, 1001)
  assert.throws(() => seen.take('a', 1001, 1001), notNew)
  assert.throws(() => seen.take('a', 1001, 1300), notNew)
})

test('what was signed before the start, or in its second, is not taken: it may have been seen', () => {
  const seen = createSeenSignatures(1000)
  assert.throws(() => seen.take('a', 999, 1001), notNew)
  assert.throws(() => seen.take('a', 1000, 1001), notNew)
  seen.take('a', 1001, 1001)
})

test('where there is no room nothing is taken, until what is there is too old to be taken again', () => {
  const seen = createSeenSignatures(0, { entriesMax: 2 })
  seen.take('a', 1, 1)
  seen.take('b', 2, 2)
  assert.throws(() => seen.take('c', 3, 3), { code: 'ThrottlingException' })
  assert.throws(() => seen.take('c', 600, 600), { code: 'ThrottlingException' })
  seen.take('c', 1300, 1300)
})

test('nothing is taken twice, however the clock is set', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          now: fc.integer({ min: 1, max: 4000 }),
          age: fc.integer({ min: -300, max: 400 }),
          name: fc.constantFrom('a', 'b', 'c'),
        }),
        { maxLength: 60 },
      ),
      (calls) => {
        const seen = createSeenSignatures(0)
        const taken = new Set<string>()
        for (const { now, age, name } of calls) {
          // A signature is made of its date: the same name at another date is another one.
          const signedAt = now - age
          const signature = `${name} ${signedAt}`
          try {
            seen.take(signature, signedAt, now)
          } catch {
            continue
          }
          assert.ok(!taken.has(signature))
          taken.add(signature)
        }
      },
    ),
    { numRuns: 3000 },
  )
})
