import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createAdmission,
  type Admission,
  type ConnectionSlot,
  type RequestSlot,
} from '../../src/wire/admission.ts'
import { defaultLimits, type ListenLimits } from '../../src/wire/limits.ts'

interface Bench extends Admission {
  /** Names of connections and bodies that were dropped, in order. */
  readonly dropped: string[]
  readonly connected: (source: string | undefined, name: string) => ConnectionSlot | undefined
  readonly begun: (source: string, name: string) => RequestSlot | undefined
  time: number
}

function openBench(limits: Partial<ListenLimits>): Bench {
  const dropped: string[] = []
  const admission = createAdmission({ ...defaultLimits, ...limits }, () => bench.time)
  const lone = { end: () => {} }
  const bench: Bench = {
    ...admission,
    dropped,
    time: 1_000_000,
    connected: (source, name) => admission.connect(source, () => dropped.push(name)),
    begun: (source, name) =>
      admission.begin(source, {
        connection: lone,
        drop: (why) => dropped.push(`${name}: ${why}`),
      }),
  }
  return bench
}

test('connections at work are bounded by source and in all, and their places given back', () => {
  const { connected, dropped } = openBench({ connectionsMax: 3, connectionsPerSourceMax: 2 })
  const busy = (source: string): ConnectionSlot | undefined => {
    const place = connected(source, source)
    place?.busy()
    return place
  }
  const first = busy('a')
  assert.ok(first !== undefined && busy('a') !== undefined)
  assert.equal(busy('a'), undefined)
  assert.ok(busy('b') !== undefined)
  assert.equal(busy('c'), undefined)
  first.leave()
  first.leave()
  assert.ok(busy('c') !== undefined)
  assert.equal(busy('d'), undefined)
  assert.deepEqual(dropped, [])
})

test('an incomplete handshake makes room for the next one, by source and in all', () => {
  const { connect, dropped } = openBench({ handshakesMax: 4, handshakesPerSourceMax: 2 })
  const begun = (source: string | undefined, name: string): ConnectionSlot | undefined =>
    connect(source, () => dropped.push(name), 'handshaking')
  const first = begun('a', 'a1')
  first?.secured()
  for (const name of ['a2', 'a3', 'a4']) begun('a', name)
  assert.deepEqual(dropped, ['a2'])
  // A proxy's connections count in all only, until their source is known.
  const proxied = begun(undefined, 'p1')
  begun('b', 'b1')
  assert.deepEqual(dropped, ['a2'])
  begun('c', 'c1')
  assert.deepEqual(dropped, ['a2', 'a3'])
  assert.equal(proxied?.belongTo('b'), true)
  begun('b', 'b2')
  assert.deepEqual(dropped.slice(2), ['b1'])
  first?.busy()
  first?.leave()
})

test('a full source ends its own connection that is needed least, and no other source does', () => {
  const { connected, dropped } = openBench({ connectionsMax: 100, connectionsPerSourceMax: 4 })
  const elsewhere = connected('b', 'elsewhere')
  const [idle, newer, refused, silent] = ['idle', 'newer', 'refused', 'silent'].map((name) =>
    connected('a', name),
  )
  assert.ok(elsewhere && idle && newer && refused && silent)
  for (const place of [idle, newer, refused]) place.busy()
  idle.idle()
  newer.idle()
  refused.refused()
  for (let more = 0; more < 4; more += 1) connected('a', `more ${more}`)?.busy()
  assert.deepEqual(dropped, ['refused', 'silent', 'idle', 'newer'])
  assert.equal(connected('a', 'too many'), undefined)
})

test('a full server ends the idlest connection of all', () => {
  const { connected, dropped } = openBench({ connectionsMax: 2, connectionsPerSourceMax: 2 })
  const first = connected('a', 'first')
  const second = connected('b', 'second')
  for (const place of [first, second, first]) {
    place?.busy()
    place?.idle()
  }
  assert.ok(connected('c', 'third'))
  assert.deepEqual(dropped, ['second'])
})

test('a connection without a source counts in all alone, until its source is known', () => {
  const { connected, dropped } = openBench({ connectionsMax: 4, connectionsPerSourceMax: 1 })
  const places = [1, 2, 3].map((number) => connected(undefined, `proxied ${number}`))
  const [one, two, three] = places
  assert.ok(one && two && three)
  assert.ok(one.belongTo('a'))
  one.busy()
  assert.ok(two.belongTo('b'))
  assert.equal(three.belongTo('a'), false)
  three.end()
  assert.deepEqual(dropped, ['proxied 3'])
  one.idle()
  const four = connected('a', 'four')
  assert.ok(four)
  assert.deepEqual(dropped, ['proxied 3', 'proxied 1'])
})

test('where every connection is at work, the one with the slowest body makes room', () => {
  const at = openBench({ connectionsMax: 2, connectionsPerSourceMax: 2 })
  const [slow, fast] = [at.connected('a', 'slow'), at.connected('a', 'fast')]
  assert.ok(slow && fast)
  for (const place of [slow, fast]) place.busy()
  const body = { drop: () => {} }
  at.begin('a', { ...body, connection: slow })?.hold(10)
  at.begin('a', { ...body, connection: fast })?.hold(100_000)
  at.time += 1000
  assert.ok(at.connected('a', 'third'))
  assert.deepEqual(at.dropped, ['slow'])
})

test('requests at work are bounded by source and in all, and given back', async () => {
  const { begun, idle } = openBench({ requestsMax: 3, requestsPerSourceMax: 2 })
  const working = (source: string): RequestSlot | undefined => {
    const place = begun(source, source)
    place?.bodyIsIn()
    return place
  }
  const first = working('a')
  const second = working('a')
  const third = working('b')
  assert.ok(first && second && third)
  assert.equal(working('a'), undefined)
  assert.equal(working('c'), undefined)
  let resolved = false
  const drained = idle().then(() => (resolved = true))
  first.leave()
  second.leave()
  await Promise.resolve()
  assert.equal(resolved, false)
  third.leave()
  await drained
  await idle()
  assert.ok(working('c'))
})

test('a request more drops the slowest body that is not whole', () => {
  const at = openBench({ requestsMax: 100, requestsPerSourceMax: 3 })
  const foreign = at.begun('b', 'foreign')
  const [slow, fast, whole] = ['slow', 'fast', 'whole'].map((name) => at.begun('a', name))
  assert.ok(foreign && slow && fast && whole)
  assert.ok(fast.hold(50_000) && slow.hold(1000))
  whole.bodyIsIn()
  at.time += 1000
  const next = at.begun('a', 'next')
  assert.ok(next)
  assert.deepEqual(at.dropped, ['slow: dropped'])
  assert.equal(slow.hold(1), false)
  next.bodyIsIn()
  assert.ok(at.begun('a', 'another'))
  assert.deepEqual(at.dropped, ['slow: dropped', 'fast: dropped'])
})

test('body bytes make room by the slowest bodies, as many as are needed', () => {
  const at = openBench({ bodyBytesHeldMax: 1000, bodyBytesHeldPerSourceMax: 600 })
  const [one, two, whole] = ['one', 'two', 'whole'].map((name) => at.begun('a', name))
  assert.ok(one && two && whole)
  assert.ok(one.hold(100) && two.hold(200) && whole.hold(200))
  whole.bodyIsIn()
  at.time += 10
  const next = at.begun('a', 'next')
  assert.ok(next)
  assert.ok(next.hold(350))
  assert.deepEqual(at.dropped, ['one: dropped', 'two: dropped'])
  // What is whole stays, and a body that is itself the slowest makes no room for itself.
  assert.equal(next.hold(51), false)
  assert.ok(next.hold(50))
  const other = at.begun('b', 'other')
  assert.ok(other?.hold(400))
  at.time += 100
  assert.ok(at.begun('c', 'third')?.hold(300))
  assert.deepEqual(at.dropped.slice(2), ['next: dropped'])
})

test('a place that was given back frees its bytes, once', () => {
  const { begun } = openBench({ bodyBytesHeldMax: 10, bodyBytesHeldPerSourceMax: 6 })
  const first = begun('a', 'first')
  assert.ok(first)
  assert.ok(first.hold(6))
  first.bodyIsIn()
  const second = begun('a', 'second')
  assert.equal(second?.hold(1), false)
  first.leave()
  first.leave()
  assert.ok(second?.hold(6))
  assert.ok(begun('b', 'third')?.hold(4))
})

test('a body below the minimum rate is dropped after the grace, and no other', () => {
  const at = openBench({ bodyBytesPerSecondMin: 1000, bodyGraceMs: 2000 })
  const [slow, enough, whole] = ['slow', 'enough', 'whole'].map((name) => at.begun('a', name))
  assert.ok(slow && enough && whole)
  assert.ok(slow.hold(1999) && enough.hold(2000) && whole.hold(1))
  whole.bodyIsIn()
  at.time += 1999
  at.dropSlowBodies()
  assert.deepEqual(at.dropped, [])
  at.time += 1
  at.dropSlowBodies()
  at.dropSlowBodies()
  assert.deepEqual(at.dropped, ['slow: too slow'])
  at.time += 1
  at.dropSlowBodies()
  assert.deepEqual(at.dropped, ['slow: too slow', 'enough: too slow'])
})
