import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCache } from '../../src/cache/cache.ts'

function counting(values: Record<string, string>): {
  load: (key: string) => Promise<string | undefined>
  loads: string[]
} {
  const loads: string[] = []
  const load = (key: string): Promise<string | undefined> => {
    loads.push(key)
    return Promise.resolve(values[key])
  }
  return { load, loads }
}

test('a hit answers at once, and a miss is loaded once for all waiting callers', async () => {
  const { load, loads } = counting({ a: '1' })
  const cache = createCache({ bytesMax: 10_000, load, sizeOf: () => 1 })
  const [first, second] = await Promise.all([cache.get('a'), cache.get('a')])
  assert.deepEqual([first, second], ['1', '1'])
  assert.equal(cache.get('a'), '1')
  assert.deepEqual(loads, ['a'])
})

test('an absent value is cached as absent', async () => {
  const { load, loads } = counting({})
  const cache = createCache({ bytesMax: 10_000, load, sizeOf: () => 1 })
  await cache.get('gone')
  assert.equal(cache.get('gone'), undefined)
  assert.deepEqual(loads, ['gone'])
})

test('the least recently used entry leaves when the bytes are used up', async () => {
  const { load, loads } = counting({ a: '1', b: '2', c: '3' })
  const cache = createCache({ bytesMax: 515, load, sizeOf: () => 64 })
  await cache.get('a')
  await cache.get('b')
  assert.equal(cache.get('a'), '1')
  await cache.get('c')
  assert.equal(cache.get('a'), '1')
  await cache.get('b')
  assert.deepEqual(loads, ['a', 'b', 'c', 'b'])
})

test('a value that is larger than the cache is loaded once, and kept until another one comes', async () => {
  const { load, loads } = counting({ a: '1', b: '2' })
  const cache = createCache({ bytesMax: 515, load, sizeOf: (value) => (value === '1' ? 1000 : 1) })
  assert.equal(await cache.get('a'), '1')
  assert.equal(cache.get('a'), '1')
  assert.deepEqual(loads, ['a'])
  assert.equal(await cache.get('b'), '2')
  assert.equal(cache.get('b'), '2')
  assert.equal(await cache.get('a'), '1')
  assert.deepEqual(loads, ['a', 'b', 'a'])
})

test('a value whose loading began before it was forgotten is not kept', async () => {
  const gate = Promise.withResolvers<string>()
  let loads = 0
  const cache = createCache({
    bytesMax: 10_000,
    load: () => {
      loads += 1
      return loads === 1 ? gate.promise : Promise.resolve('after')
    },
    sizeOf: () => 1,
  })
  const early = cache.get('a')
  cache.forget('a')
  gate.resolve('before')
  assert.equal(await early, 'before')
  assert.equal(await cache.get('a'), 'after')
})

test('a failed loading is not remembered', async () => {
  let loads = 0
  const cache = createCache({
    bytesMax: 10_000,
    load: () => {
      loads += 1
      return loads === 1 ? Promise.reject(new Error('down')) : Promise.resolve('up')
    },
    sizeOf: () => 1,
  })
  await assert.rejects(async () => cache.get('a'), /down/)
  assert.equal(await cache.get('a'), 'up')
})

test('a flood of names that do not exist does not evict present values', async () => {
  const { load, loads } = counting({ a: '1' })
  const cache = createCache({ bytesMax: 8000, load, sizeOf: () => 64 })
  await cache.get('a')
  const asked = Array.from({ length: 1000 }, async (_, index) => cache.get(`absent-${index}`))
  await Promise.all(asked)
  assert.equal(cache.get('a'), '1')
  assert.equal(loads.filter((key) => key === 'a').length, 1)
})

test('an absent value is loaded again once it is forgotten', async () => {
  const values: Record<string, string> = {}
  const { load } = counting(values)
  const cache = createCache({ bytesMax: 8000, load, sizeOf: () => 64 })
  assert.equal(await cache.get('a'), undefined)
  values['a'] = '1'
  assert.equal(cache.get('a'), undefined)
  cache.forget('a')
  assert.equal(await cache.get('a'), '1')
})
