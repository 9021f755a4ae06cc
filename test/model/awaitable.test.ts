import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allOf, andFinally, andThen, forEach, orElse } from '../../src/model/awaitable.ts'

const failure = new Error('no')
const later = <T>(value: T): Promise<T> => Promise.resolve(value)

test('values that are there are handled at once, and others when they come', async () => {
  assert.equal(
    andThen(1, (one) => one + 1),
    2,
  )
  assert.equal(await andThen(later(1), (one) => one + 1), 2)
  assert.equal(await andThen(1, (one) => later(one + 1)), 2)
  const failing = andThen(Promise.reject<number>(failure), () => assert.fail('called'))
  await assert.rejects(async () => failing, failure)
})

test('all values come in order, at once if all are there', async () => {
  assert.deepEqual(allOf([1, 'two']), [1, 'two'])
  assert.deepEqual(await allOf([later(1), 'two', later(3)]), [1, 'two', 3])
})

test('work on each item is done one after the other, and ends at the first failure', async () => {
  const seen: number[] = []
  assert.equal(
    forEach([1, 2], (item) => seen.push(item)),
    undefined,
  )
  await forEach([3, 4, 5], async (item) => {
    await later(undefined)
    seen.push(item)
  })
  assert.deepEqual(seen, [1, 2, 3, 4, 5])
  const ending = forEach([6, 7], (item) => (seen.push(item), Promise.reject(failure)))
  await assert.rejects(async () => ending, failure)
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6])
})

test('a failure is recovered from whether it is thrown or comes later', async () => {
  const thrown = (): number => {
    throw failure
  }
  assert.equal(
    orElse(thrown, (error) => (error === failure ? 1 : 2)),
    1,
  )
  assert.equal(
    await orElse(
      () => Promise.reject<number>(failure),
      () => later(3),
    ),
    3,
  )
  assert.equal(
    orElse(
      () => 4,
      () => 5,
    ),
    4,
  )
})

test('the end comes once, after the work, whatever becomes of it', async () => {
  const seen: string[] = []
  const end = (): void => void seen.push('end')
  assert.equal(
    andFinally(() => 1, end),
    1,
  )
  assert.throws(
    () =>
      andFinally(() => {
        throw failure
      }, end),
    failure,
  )
  assert.equal(seen.length, 2)
  const pending = andFinally(() => later(undefined).then(() => seen.push('work')), end)
  assert.equal(seen.length, 2)
  await pending
  await assert.rejects(
    andFinally(() => Promise.reject(failure), end),
    failure,
  )
  assert.deepEqual(seen, ['end', 'end', 'work', 'end', 'end'])
})
