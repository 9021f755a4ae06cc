import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LazyContext } from '../../src/authorize/lazy-context.ts'

const known = new Map([
  ['aws:sourceip', ['127.0.0.1']],
  ['kms:encryptioncontextkeys', ['one', 'two']],
])

test('a context is not made before it is read, and then once', () => {
  let made = 0
  const context = new LazyContext(() => {
    made += 1
    return known
  })
  assert.equal(made, 0)
  assert.deepEqual(context.get('aws:sourceip'), ['127.0.0.1'])
  assert.equal(context.get('aws:userid'), undefined)
  assert.equal(made, 1)
})

test('however it is read, it says what the context says', () => {
  const context = new LazyContext(() => known)
  const seen: unknown[] = []
  context.forEach((values, key, of) => {
    assert.equal(of, context)
    seen.push([key, values])
  })
  assert.deepEqual(seen, [...known])
  assert.deepEqual([...context], [...known])
  assert.deepEqual([...context.entries()], [...known])
  assert.deepEqual([...context.keys()], [...known.keys()])
  assert.deepEqual([...context.values()], [...known.values()])
  assert.equal(context.size, 2)
  assert.deepEqual([context.has('aws:sourceip'), context.has('aws:userid')], [true, false])
})

test('what fails while it is made fails whoever reads it', () => {
  const context = new LazyContext(() => {
    throw new Error('no context')
  })
  assert.throws(() => context.get('aws:sourceip'), /no context/)
})
