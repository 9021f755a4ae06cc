/** Events that wait for the webhook in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutgoingEvent } from '../../../src/model/outgoing-event.ts'
import { StaleRow, type Store } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts } from '../records.ts'

function newEvent(eventId: string, subject = 'one', madeAt = 5): OutgoingEvent {
  return { eventId, subject, isGuaranteed: true, madeAt, body: `{"id":"${eventId}"}` }
}

const save = (store: Store, event: OutgoingEvent): Promise<void> =>
  store.change((transaction) => transaction.insertOutgoingEvent(event))

const idsOf = (events: readonly OutgoingEvent[]): readonly string[] =>
  events.map(({ eventId }) => eventId)

for (const { name: engine, open } of engines) {
  test(`${engine}: the next events are the first of each subject, oldest first`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await save(store, newEvent('a1', 'a'))
    await save(store, newEvent('b1', 'b'))
    await save(store, newEvent('a2', 'a'))
    await store.saveOutgoingEvent({ ...newEvent('c1', 'c', 2), isGuaranteed: false })
    const next = async (limit: number, except: readonly string[] = []) => {
      const { events, forged } = await store.listNextEvents(limit, except)
      assert.deepEqual(forged, [])
      return events
    }
    assert.deepEqual(idsOf(await next(9)), ['a1', 'b1', 'c1'])
    assert.deepEqual(idsOf(await next(2)), ['a1', 'b1'])
    assert.deepEqual(idsOf(await next(9, ['a', 'c'])), ['b1'])
    const [first] = await next(1)
    assert.deepEqual(first, { ...newEvent('a1', 'a'), position: first?.position })
    assert.deepEqual(await store.eventFigures(), { waiting: 4, oldestAt: 2 })
    await store.deleteOutgoingEvents([first?.position ?? 0, 999])
    await store.deleteOutgoingEvents([])
    assert.deepEqual(idsOf(await next(9)), ['b1', 'a2', 'c1'])
    const oldest = async (limit: number, which: { readonly isGuaranteed?: boolean }) =>
      idsOf((await store.listOldestEvents(limit, which)).events)
    assert.deepEqual(await oldest(2, {}), ['b1', 'a2'])
    assert.deepEqual(await oldest(9, { isGuaranteed: false }), ['c1'])
  })

  test(`${engine}: an empty queue has no oldest event`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    assert.deepEqual(await store.eventFigures(), { waiting: 0 })
    assert.deepEqual(await store.listNextEvents(9, []), { events: [], forged: [] })
  })

  test(`${engine}: an event goes with its change, and stays when the store is emptied`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const rolledBack = store.change(async (transaction) => {
      await transaction.insertOutgoingEvent(newEvent('never'))
      throw new StaleRow('decide again')
    })
    await assert.rejects(rolledBack, StaleRow)
    await save(store, newEvent('kept'))
    await store.change((transaction) => transaction.empty({ accountId }))
    assert.deepEqual(idsOf((await store.listNextEvents(9, [])).events), ['kept'])
  })

  test(`${engine}: an event with any one column forged is reported as forged`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    const { query } = database
    await save(store, newEvent('genuine'))
    const stored = await query.selectFrom('outgoing_events').selectAll().executeTakeFirstOrThrow()
    const at = query.updateTable('outgoing_events').where('position', '=', stored.position)
    const { position, ...columns } = stored
    const forgeries = {
      event_id: 'another',
      subject: 'two',
      guaranteed: 0,
      made_at: 6,
      body: '{"forged":true}',
      row_tag: new Uint8Array(32),
    }
    assert.deepEqual(Object.keys(forgeries).toSorted(), Object.keys(columns).toSorted())
    for (const [name, value] of Object.entries(forgeries)) {
      await at.set({ [name]: value }).execute()
      forged.length = 0
      const found = await store.listNextEvents(9, [])
      assert.deepEqual(found, { events: [], forged: [position] }, name)
      assert.deepEqual(
        forged,
        [`outgoing_events/${name === 'event_id' ? 'another' : 'genuine'}`],
        name,
      )
      await at.set(columns).execute()
      assert.deepEqual(idsOf((await store.listNextEvents(9, [])).events), ['genuine'])
    }
  })
}
