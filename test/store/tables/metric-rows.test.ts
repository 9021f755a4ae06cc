/** The reads behind metrics, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CountedCall } from '../../../src/model/usage.ts'
import { saveEventBlocks } from '../../../src/store/tables/event-index-rows.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, insertKeys, newKey, region } from '../records.ts'

const start = Date.UTC(2026, 10, 3, 4, 5)
const minuteMs = 60_000
const place = { accountId, region }

function callOf(operation: string, keyArn: string, more: Partial<CountedCall> = {}): CountedCall {
  const known = { request: true, own: true, succeeded: true, turns: [] }
  return { ...place, time: start, operation, keyArns: [keyArn], ...known, ...more }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: called operations are listed once, by key and operation, page by page`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const calls = ['a', 'b', 'c'].flatMap((key) =>
      ['Decrypt', 'Encrypt', 'Sign'].flatMap((operation) => [
        callOf(operation, key),
        callOf(operation, key, { time: start + minuteMs }),
      ]),
    )
    await saveEventBlocks(
      database.query,
      [],
      [
        ...calls,
        callOf('Encrypt', 'failed', { succeeded: false }),
        callOf('Encrypt', 'elsewhere', { region: 'eu-west-1' }),
        callOf('Encrypt', 'others', { accountId: '444455556666' }),
        callOf('Encrypt', 'old', { time: start - 5 * 3_600_000 }),
      ],
      { stream: 'worker-0', segment: 1, offset: 1 },
    )
    const asked = {
      ...place,
      operations: ['Decrypt', 'Encrypt'],
      period: 'minute',
      since: start,
      limit: 100,
    } as const
    const all = await store.listCalled(asked)
    assert.deepEqual(
      all.map(({ keyArns, operation }) => `${keyArns} ${operation}`),
      ['a Decrypt', 'a Encrypt', 'b Decrypt', 'b Encrypt', 'c Decrypt', 'c Encrypt'],
    )
    for (let limit = 1; limit < 6; limit += 1) {
      const [first, after = all[0]] = [await store.listCalled({ ...asked, limit }), all[limit - 1]]
      assert(after)
      assert.deepEqual([...first, ...(await store.listCalled({ ...asked, after }))], all)
    }
    assert.deepEqual(await store.listCalled({ ...asked, keyArns: 'b' }), all.slice(2, 4))
    const hours = await store.listCalled({ ...asked, period: 'hour', since: start - 3e7 })
    assert.deepEqual(hours.at(-1), { keyArns: 'old', operation: 'Encrypt' })
    assert.deepEqual(await store.listCalledOperations(asked), ['Decrypt', 'Encrypt', 'Sign'])
  })

  test(`${engine}: requests are added up by period, of keys or of an account's callers`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await saveEventBlocks(
      database.query,
      [],
      [
        callOf('Encrypt', 'a'),
        callOf('Encrypt', 'a', { own: false }),
        callOf('Encrypt', 'a', { succeeded: false }),
        callOf('Encrypt', 'b'),
        callOf('Decrypt', 'a'),
        callOf('Encrypt', 'a', { time: start + minuteMs }),
        callOf('Encrypt', 'a', { time: start + 2 * minuteMs }),
      ],
      { stream: 'worker-0', segment: 1, offset: 1 },
    )
    const asked = {
      ...place,
      operations: ['Encrypt'],
      period: 'minute',
      from: start,
      until: start + 2 * minuteMs,
    } as const
    assert.deepEqual(await store.sumRequests({ ...asked, keyArns: ['a', 'a a'] }), [
      { start, succeeded: 2, failed: 1 },
      { start: start + minuteMs, succeeded: 1, failed: 0 },
    ])
    assert.deepEqual(await store.sumRequests(asked), [
      { start, succeeded: 2, failed: 1 },
      { start: start + minuteMs, succeeded: 1, failed: 0 },
    ])
    assert.deepEqual(await store.sumRequests({ ...asked, keyArns: ['c'] }), [])
    assert.deepEqual(await store.sumRequests({ ...asked, keyArns: [] }), [])
  })

  test(`${engine}: keys whose material expires are told by account and Region`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    const expiring = { materialExpiresAt: start, materialExpirationModel: 'KEY_MATERIAL_EXPIRES' }
    const keys = ['1', '2', '3'].map((id) => ({ ...newKey(id), ...expiring }) as never)
    await insertKeys(store, ...keys, newKey('4'))
    const list = (more: object = {}, at = region) =>
      store.listExpiringKeys(accountId, at, { limit: 10, ...more })
    assert.deepEqual(await list(), ['1', '2', '3'])
    assert.deepEqual(await list({ after: '1', limit: 1 }), ['2'])
    assert.deepEqual(await list({}, 'eu-west-1'), [])
  })
}
