/** Figures of external key stores in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyStoreFigure } from '../../../src/model/key-store-figure.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, otherAccountId, region, storeId } from '../records.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

function figure(members: Partial<KeyStoreFigure> = {}): KeyStoreFigure {
  return {
    accountId,
    region,
    storeId,
    name: 'XksProxyLatency',
    dimensions: '["Encrypt","Encrypt","SYMMETRIC_DEFAULT"]',
    period: 'minute',
    start: 10 * minuteMs,
    samples: 2,
    sum: 30,
    minimum: 10,
    maximum: 20,
    ...members,
  }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: figures of one period add up, and are listed and deleted when they are old`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    const later = figure({ start: 11 * minuteMs })
    await store.saveKeyStoreFigures([
      figure(),
      later,
      figure({ accountId: otherAccountId }),
      figure({ name: 'XksProxyCredentialAge', dimensions: '[]' }),
    ])
    await store.saveKeyStoreFigures([figure({ samples: 1, sum: 5, minimum: 5, maximum: 5 })])
    await store.saveKeyStoreFigures([figure({ samples: 1, sum: 90, minimum: 90, maximum: 90 })])
    const sum = figure({ samples: 4, sum: 125, minimum: 5, maximum: 90 })
    const span = { ...figure(), from: 0, until: 20 * minuteMs }
    assert.deepEqual(await store.listKeyStoreFigures(span), [sum, later])
    const shorter = { ...span, from: 11 * minuteMs }
    assert.deepEqual(await store.listKeyStoreFigures(shorter), [later])
    assert.deepEqual(await store.listKeyStoreFigures({ ...span, until: 11 * minuteMs }), [sum])
    const series = { accountId, region, period: 'minute', limit: 10 } as const
    const listed = await store.listKeyStoreSeries({ ...series, since: 0 })
    assert.deepEqual(
      listed.map(({ name, dimensions }) => [name, dimensions]),
      [
        ['XksProxyCredentialAge', '[]'],
        ['XksProxyLatency', '["Encrypt","Encrypt","SYMMETRIC_DEFAULT"]'],
      ],
    )
    const recent = await store.listKeyStoreSeries({ ...series, since: 11 * minuteMs })
    assert.deepEqual(
      recent.map(({ name }) => name),
      ['XksProxyLatency'],
    )
    const now = 15 * dayMs + 10.5 * minuteMs
    assert.equal(await store.deleteOldCounts(now), true)
    assert.equal(await store.deleteOldCounts(now), false)
    assert.deepEqual(await store.listKeyStoreFigures(span), [later])
  })
}
