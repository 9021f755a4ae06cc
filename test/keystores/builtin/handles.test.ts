import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandles } from '../../../src/keystores/builtin/handles.ts'
import type { Clock } from '../../../src/model/clock.ts'

const still: Clock = { now: () => 0, system: () => 0 }
const loaded = (value: number | undefined) => () => Promise.resolve(value)
const never = () => Promise.reject(new Error('loaded again'))

test('what was loaded once is kept, and given without waiting', async () => {
  const handles = createHandles<number>({ max: 2, idleMs: 1000 }, still)
  assert.equal(handles.peek('a'), undefined)
  assert.equal(await handles.get('a', loaded(1)), 1)
  assert.equal(handles.peek('a'), 1)
  assert.equal(await handles.get('a', never), 1)
})

test('the least recently used goes first', async () => {
  const handles = createHandles<number>({ max: 2, idleMs: 1000 }, still)
  await handles.get('a', loaded(1))
  await handles.get('b', loaded(2))
  handles.peek('a')
  await handles.get('c', loaded(3))
  assert.deepEqual(['a', 'b', 'c'].map(handles.peek), [1, undefined, 3])
  assert.equal(handles.size(), 2)
})

test('one that is not used for its idle time is closed, one that is used stays', async () => {
  let now = 0
  const handles = createHandles<number>(
    { max: 9, idleMs: 1000 },
    { now: () => 0, system: () => now },
  )
  await handles.get('a', loaded(1))
  await handles.get('b', loaded(2))
  now = 900
  assert.equal(handles.peek('b'), 2)
  now = 1100
  assert.equal(handles.peek('a'), undefined)
  assert.equal(handles.peek('b'), 2)
  now = 5000
  assert.equal(handles.peek('b'), undefined)
  assert.equal(handles.size(), 0)
})

test('idle handles are closed by time alone, without another use', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const clock: Clock = { now: () => 0, system: () => Date.now() }
  const handles = createHandles<number>({ max: 9, idleMs: 1000 }, clock)
  await handles.get('a', loaded(1))
  context.mock.timers.tick(999)
  assert.equal(handles.size(), 1)
  context.mock.timers.tick(1)
  assert.equal(handles.size(), 0)
})

test('those that miss at once share one load', async () => {
  const handles = createHandles<number>({ max: 2, idleMs: 1000 }, still)
  let loads = 0
  const load = async () => {
    loads += 1
    return 7
  }
  const answers = await Promise.all([1, 2, 3].map(() => handles.get('a', load)))
  assert.deepEqual(answers, [7, 7, 7])
  assert.equal(loads, 1)
})

test('a load that fails or finds nothing is not kept', async () => {
  const handles = createHandles<number>({ max: 2, idleMs: 1000 }, still)
  await assert.rejects(handles.get('a', never), /loaded again/)
  assert.equal(await handles.get('a', loaded(undefined)), undefined)
  assert.equal(await handles.get('a', loaded(1)), 1)
})

test('what is forgotten while it loads is not kept', async () => {
  for (const what of ['a', undefined]) {
    const handles = createHandles<number>({ max: 2, idleMs: 1000 }, still)
    const { promise, resolve } = Promise.withResolvers<number>()
    const first = handles.get('a', () => promise)
    handles.forget(what)
    assert.equal(await handles.get('a', loaded(2)), 2)
    resolve(1)
    assert.equal(await first, 1)
    assert.equal(handles.peek('a'), 2)
    handles.forget(what)
    assert.equal(handles.size(), 0)
  }
})
