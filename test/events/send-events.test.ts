/**
 * The job that sends events, over a real store, with a webhook and a clock that the tests control.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { createDeadLetters } from '../../src/events/dead-letters.ts'
import {
  createSendEvents,
  type EventOutcome,
  type SendEventsDependencies,
} from '../../src/events/send-events.ts'
import type { OutgoingEvent } from '../../src/model/outgoing-event.ts'
import type { Store } from '../../src/store/store.ts'
import { engines, storeOf, temporaryFolder } from '../store/engines.ts'

const hourMs = 3_600_000

interface Sending {
  readonly store: Store
  readonly forged: readonly string[]
  readonly query: Awaited<ReturnType<(typeof engines)[number]['open']>>['database']['query']
  /** Ids in the order of sending. */
  readonly sent: string[]
  readonly outcomes: Partial<Record<EventOutcome, number>>
  readonly errors: Error[]
  readonly deadPath: string
  /** Sets which events the webhook refuses; none at first. */
  readonly refuse: (which: (event: OutgoingEvent) => boolean) => void
  /** Advances both clocks. */
  readonly pass: (ms: number) => void
  /** Runs the job as the scheduler does, until nothing is left that need not wait. */
  readonly look: () => Promise<void>
  readonly waiting: () => Promise<readonly string[]>
  readonly dead: () => readonly {
    readonly deadAt: string
    readonly why: string
    readonly event: { readonly id: string }
  }[]
}

async function open(
  t: TestContext,
  limits: SendEventsDependencies['limits'] = {},
  deadBytesMax?: number,
): Promise<Sending> {
  const [engine] = engines
  assert.ok(engine)
  const { database } = await engine.open(t)
  const { store, forged } = storeOf(database)
  const deadPath = join(temporaryFolder(t), 'dead-events.jsonl')
  const sent: string[] = []
  const errors: Error[] = []
  const outcomes: Partial<Record<EventOutcome, number>> = {}
  let refused: (event: OutgoingEvent) => boolean = () => false
  let now = 0
  const job = createSendEvents({
    store,
    post(event) {
      sent.push(event.eventId)
      return refused(event) ? Promise.reject(new Error('refused')) : Promise.resolve()
    },
    deadLetters: createDeadLetters(deadPath, deadBytesMax),
    monotonic: () => now,
    random: systemRandom,
    onOutcome: (outcome, count) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count
    },
    onError: (error) => errors.push(error),
    limits,
  })
  const { signal } = new AbortController()
  return {
    store,
    forged,
    query: database.query,
    sent,
    outcomes,
    errors,
    deadPath,
    refuse(which) {
      refused = which
    },
    pass(ms) {
      now += ms
    },
    async look() {
      while (await job.run(now, signal)) continue
    },
    waiting: async () =>
      (await store.listOldestEvents(1000, {})).events.map(({ eventId }) => eventId),
    dead: () =>
      readFileSync(deadPath, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as ReturnType<Sending['dead']>[number]),
  }
}

function newEvent(eventId: string, subject: string, more: Partial<OutgoingEvent> = {}) {
  const body = JSON.stringify({ id: eventId })
  return { eventId, subject, isGuaranteed: true, madeAt: 0, body, ...more }
}

test('events are sent once, in order for each key', async (t) => {
  const { store, look, sent, waiting, outcomes, errors } = await open(t)
  for (let n = 0; n < 30; n += 1) await store.saveOutgoingEvent(newEvent(`a${n}`, 'a'))
  for (let n = 0; n < 30; n += 1) await store.saveOutgoingEvent(newEvent(`k${n}`, `key ${n}`))
  await look()
  assert.equal(sent.length, 60)
  const ofOne = sent.filter((id) => id.startsWith('a'))
  assert.deepEqual(
    ofOne,
    Array.from(ofOne, (_, n) => `a${n}`),
  )
  assert.deepEqual(await waiting(), [])
  assert.deepEqual(outcomes, { delivered: 60 })
  assert.deepEqual(errors, [])
})

test('a refused event is retried after 1, 2, 4 … 60 seconds, and later events of its key wait', async (t) => {
  const { store, look, sent, refuse, pass, errors, waiting } = await open(t)
  await store.saveOutgoingEvent(newEvent('a1', 'a'))
  await store.saveOutgoingEvent(newEvent('a2', 'a'))
  refuse(() => true)
  const waits: number[] = []
  for (let tries = 1; tries < 10; tries += 1) {
    let waited = 0
    while (sent.length < tries) {
      await look()
      if (sent.length < tries) pass(50)
      if (sent.length < tries) waited += 50
      assert.ok(waited < 200_000, 'it is not tried again')
    }
    waits.push(waited / 1000)
  }
  assert.ok(sent.every((id) => id === 'a1'))
  assert.equal(waits[0], 0)
  for (const [index, base] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    const wait = waits[index + 1] ?? 0
    assert.ok(wait >= base * 0.8 && wait <= base * 1.2 + 0.1, `${wait} for ${base}`)
  }
  // Jittered, so that several servers do not retry at the same moment when a webhook comes back.
  assert.ok(waits.some((wait) => !Number.isInteger(wait)))
  assert.equal(errors.length, 9)
  refuse(() => false)
  pass(80_000)
  await look()
  assert.deepEqual(sent.slice(-2), ['a1', 'a2'])
  assert.deepEqual(await waiting(), [])
})

test('any number of keys with refused events does not delay other keys', async (t) => {
  const { store, look, sent, refuse, pass, waiting } = await open(t)
  for (let n = 0; n < 40; n += 1) await store.saveOutgoingEvent(newEvent(`bad${n}`, `bad ${n}`))
  for (let n = 0; n < 40; n += 1) await store.saveOutgoingEvent(newEvent(`good${n}`, `good ${n}`))
  refuse(({ eventId }) => eventId.startsWith('bad'))
  for (let seconds = 0; seconds < 60; seconds += 1) {
    await look()
    pass(1000)
  }
  assert.equal((await waiting()).length, 40)
  assert.equal(sent.filter((id) => id.startsWith('good')).length, 40)
})

test('a webhook that takes nothing is asked a few times a minute, not once for each event', async (t) => {
  const { store, look, sent, refuse, pass } = await open(t)
  for (let n = 0; n < 300; n += 1) await store.saveOutgoingEvent(newEvent(`e${n}`, `key ${n}`))
  refuse(() => true)
  for (let seconds = 0; seconds < 600; seconds += 1) {
    await look()
    pass(1000)
  }
  assert.ok(sent.length < 300, `${sent.length} attempts in ten minutes`)
  assert.ok(sent.length > 100)
})

test('an event that is refused for a day becomes a dead letter, and later events are sent', async (t) => {
  const { store, look, refuse, pass, waiting, dead, outcomes, sent, errors } = await open(t)
  await store.saveOutgoingEvent(newEvent('a1', 'a'))
  await store.saveOutgoingEvent(newEvent('a2', 'a'))
  refuse(({ eventId }) => eventId === 'a1')
  pass(23 * hourMs)
  await look()
  assert.deepEqual(await waiting(), ['a1', 'a2'])
  pass(hourMs)
  await look()
  pass(3000)
  await look()
  const [line, ...more] = dead()
  assert.deepEqual(more, [])
  assert.deepEqual(line, {
    deadAt: '1970-01-02T00:00:00.000Z',
    why: 'not taken in time',
    event: { id: 'a1' },
  })
  assert.deepEqual(await waiting(), [])
  assert.equal(sent.at(-1), 'a2')
  assert.deepEqual(outcomes, { failed: 2, delivered: 1, dead: 1 })
  assert.ok(errors.some(({ message }) => message.includes('are in dead-events.jsonl')))
})

test('an event that waited for a day without a server is sent, and is no dead letter', async (t) => {
  const { store, look, pass, waiting, deadPath, outcomes } = await open(t)
  await store.saveOutgoingEvent(newEvent('a1', 'a'))
  pass(100 * hourMs)
  await look()
  assert.deepEqual(await waiting(), [])
  assert.deepEqual(outcomes, { delivered: 1 })
  assert.equal(existsSync(deadPath), false)
})

test('if too many events wait for an unreachable webhook, the oldest become dead letters', async (t) => {
  const { store, look, refuse, waiting, dead } = await open(t, { waitingMax: 10 })
  for (let n = 0; n < 25; n += 1) await store.saveOutgoingEvent(newEvent(`e${n}`, `key ${n % 3}`))
  refuse(() => true)
  await look()
  assert.deepEqual(
    await waiting(),
    Array.from({ length: 10 }, (_, n) => `e${n + 15}`),
  )
  assert.deepEqual(
    dead().map(({ event }) => event.id),
    Array.from({ length: 15 }, (_, n) => `e${n}`),
  )
  assert.equal(dead()[0]?.why, 'more than 10 wait')
})

test('if many events wait and the webhook accepts them, none becomes a dead letter', async (t) => {
  const { store, look, waiting, deadPath } = await open(t, { waitingMax: 10 })
  for (let n = 0; n < 25; n += 1) await store.saveOutgoingEvent(newEvent(`e${n}`, `key ${n}`))
  await look()
  assert.deepEqual(await waiting(), [])
  assert.equal(existsSync(deadPath), false)
})

test('if the file of dead letters is full, deletions stay and are sent later', async (t) => {
  const opened = await open(t, { waitingMax: 4 }, 50)
  const { store, look, refuse, waiting, dead, outcomes, errors, pass, sent } = opened
  for (let n = 0; n < 12; n += 1) {
    const isGuaranteed = n % 2 === 0
    await store.saveOutgoingEvent(newEvent(`e${n}`, `key ${n}`, { isGuaranteed }))
  }
  refuse(() => true)
  for (let hours = 0; hours < 30; hours += 1) {
    await look()
    pass(hourMs)
  }
  const kept = ['e0', 'e2', 'e4', 'e6', 'e8', 'e10']
  assert.deepEqual(await waiting(), kept)
  assert.equal(existsSync(opened.deadPath) ? readFileSync(opened.deadPath, 'utf8') : '', '')
  assert.equal(outcomes.dropped, 6)
  assert.equal(outcomes.dead, undefined)
  assert.ok(errors.some(({ message }) => /are lost/.test(message)))
  assert.ok(errors.some(({ message }) => /is full/.test(message)))
  refuse(() => false)
  sent.length = 0
  for (let n = 0; n < 3; n += 1) {
    pass(hourMs)
    await look()
  }
  assert.deepEqual(sent.toSorted(), kept.toSorted())
  assert.deepEqual(await waiting(), [])
  assert.throws(dead)
})

test('if dead letters cannot be written, all events stay', async (t) => {
  const { store, look, refuse, pass, waiting, deadPath } = await open(t)
  await mkdir(deadPath)
  await store.saveOutgoingEvent(newEvent('a', 'a', { isGuaranteed: false }))
  refuse(() => true)
  pass(25 * hourMs)
  await assert.rejects(look(), { code: 'EISDIR' })
  assert.deepEqual(await waiting(), ['a'])
  refuse(() => false)
  pass(hourMs)
  await look()
  assert.deepEqual(await waiting(), [])
})

test('a forged event is reported and deleted, and never sent', async (t) => {
  const { store, query, look, sent, forged, waiting } = await open(t)
  await store.saveOutgoingEvent(newEvent('a1', 'a'))
  await store.saveOutgoingEvent(newEvent('a2', 'a'))
  await query
    .updateTable('outgoing_events')
    .set({ body: '{"forged":true}' })
    .where('event_id', '=', 'a1')
    .execute()
  await look()
  await look()
  assert.deepEqual(forged, ['outgoing_events/a1'])
  assert.deepEqual(sent, ['a2'])
  assert.deepEqual(await waiting(), [])
})

test('a request that a stop interrupts is not a failure, and the next process sends the event', async (t) => {
  const [engine] = engines
  assert.ok(engine)
  const { store } = storeOf((await engine.open(t)).database)
  await store.saveOutgoingEvent(newEvent('a', 'a'))
  const stopping = new AbortController()
  const outcomes: string[] = []
  const job = createSendEvents({
    store,
    post(_event, signal) {
      stopping.abort()
      return Promise.reject(signal.reason as Error)
    },
    deadLetters: createDeadLetters(join(temporaryFolder(t), 'dead')),
    monotonic: () => 0,
    random: systemRandom,
    onOutcome: (outcome, count) => void (count > 0 && outcomes.push(outcome)),
    onError: (error) => assert.fail(error),
  })
  assert.equal(await job.run(100 * hourMs, stopping.signal), false)
  assert.deepEqual(outcomes, [])
  assert.equal((await store.eventFigures()).waiting, 1)
})
