/** Changes that no caller asked for: with their records and events, or not at all. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { createServiceChanges, type ServiceChanges } from '../../src/lifecycle/service-changes.ts'
import { createRegionTable } from '../../src/model/region.ts'
import type { ServiceEvent } from '../../src/model/service-event.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { engines, storeOf } from '../store/engines.ts'
import { accountId, insertAccounts, newKey, region } from '../store/records.ts'

interface Changing {
  readonly store: Store
  readonly changes: ServiceChanges
  /** The contents of the store: keys, records in the outbox, outgoing events. */
  readonly left: () => Promise<readonly number[]>
}

async function open(
  t: TestContext,
  isEnabled: boolean,
  inTransaction: (transaction: Transaction) => Transaction = (transaction) => transaction,
): Promise<Changing> {
  const [engine] = engines
  assert.ok(engine)
  const { store } = storeOf((await engine.open(t)).database)
  await insertAccounts(store)
  const changes = createServiceChanges({
    store: {
      change: (work) => store.change((transaction) => work(inTransaction(transaction))),
    },
    journal: { healthy: true, position: { stream: 'worker-0', segment: 1 } },
    outbox: { settle: () => Promise.resolve() },
    regions: createRegionTable([]),
    events: { isEnabled },
    clock: { now: () => 5_000, system: () => 0 },
    random: systemRandom,
  })
  const left = async (): Promise<readonly number[]> => [
    (await store.listKeys(accountId, region, { limit: 9 })).length,
    (await store.listOutbox(9)).length,
    (await store.eventFigures()).waiting,
  ]
  return { store, changes, left }
}

const rotating = async (transaction: Transaction): Promise<readonly ServiceEvent[]> => {
  const key = await transaction.insertKey(newKey('k'))
  return [
    { eventName: 'SynchronizeMultiRegionKey', key },
    { eventName: 'RotateKey', key },
  ]
}

test('an event is kept with the change and its records, at their time', async (t) => {
  const { store, changes, left } = await open(t, true)
  await changes.commit(rotating)
  assert.deepEqual(await left(), [1, 2, 1])
  const [event] = (await store.listNextEvents(9, [])).events
  assert.equal(event?.madeAt, 5_000)
  assert.equal(JSON.parse(event.body).time, '1970-01-01T00:00:05Z')
  const records = await store.listOutbox(9)
  assert.equal(JSON.parse(records[1]?.record ?? '').eventTime, '1970-01-01T00:00:05Z')
  assert.ok(records.every(({ eventId }) => eventId !== event.eventId))
})

test('without a webhook, there is no event', async (t) => {
  const { changes, left } = await open(t, false)
  await changes.commit(rotating)
  assert.deepEqual(await left(), [1, 2, 0])
})

test('a change is not made if its event cannot be stored', async (t) => {
  const { changes, left } = await open(t, true, (transaction) => ({
    ...transaction,
    insertOutgoingEvent: () => Promise.reject(new Error('no room')),
  }))
  await assert.rejects(changes.commit(rotating), { message: 'no room' })
  assert.deepEqual(await left(), [0, 0, 0])
})

test('a change that fails leaves no event', async (t) => {
  const { changes, left } = await open(t, true, (transaction) => ({
    ...transaction,
    async insertOutgoingEvent(event) {
      await transaction.insertOutgoingEvent(event)
      throw new Error('behind it')
    },
  }))
  await assert.rejects(changes.commit(rotating), { message: 'behind it' })
  assert.deepEqual(await left(), [0, 0, 0])
})
