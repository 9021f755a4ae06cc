/** What a restored database says about files of the lost machine, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginStreamsAnew, deliverAgain } from '../../src/backup/restore-streams.ts'
import type { DeliveryFile, JournalRange } from '../../src/model/delivery.ts'
import { createBoundRows } from '../../src/store/bound-rows.ts'
import { insertRecords, saveRecord } from '../../src/store/tables/table-rows.ts'
import { auditWriters, deliveryCursors, deliveryFiles } from '../../src/store/schema/audit.ts'
import { genesis } from '../../src/model/audit-writer.ts'
import { engines, keyring, storeOf } from '../store/engines.ts'
import { accountId, region } from '../store/records.ts'

const stream = 'worker-0'

function file(
  sequence: number,
  members: Partial<DeliveryFile> & { readonly range?: JournalRange } = {},
): { readonly file: DeliveryFile } {
  return {
    file: {
      trail: { accountId, homeRegion: region, name: 'main' },
      region,
      sequence,
      kind: 'log',
      bucket: 'logs',
      key: `${sequence}.json.gz`,
      hash: 'ab'.repeat(32),
      bytesHash: 'cd'.repeat(32),
      records: 1,
      metadata: {},
      madeAt: 1,
      isNotified: true,
      isListed: false,
      ...members,
    },
  }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: records of files that were not delivered are delivered again`, async (t) => {
    const { database } = await open(t)
    const { query } = database
    const { store, forged } = storeOf(database)
    const scope = { query, rows: createBoundRows(keyring, assert.fail) }
    const files = [
      file(1, { range: { stream, segment: 1, from: 0, to: 500 }, deliveredAt: 2 }),
      file(2, { range: { stream, segment: 2, from: 700, to: 900 } }),
      file(3, { range: { stream, segment: 2, from: 100, to: 700 } }),
      file(4, { range: { stream, segment: 3, from: 0, to: 50 } }),
      file(5, { kind: 'digest' }),
      file(6, { range: { stream: 'worker-1', segment: 4, from: 10, to: 50 } }),
    ]
    for (const each of files) await insertRecords(deliveryFiles, scope, [each])
    for (const [name, segment] of [
      [stream, 3],
      ['worker-1', 4],
      ['worker-2', 7],
    ] as const) {
      await saveRecord(deliveryCursors, scope, { stream: name, segment, offset: 800 })
    }
    await deliverAgain(scope)
    assert.equal(await store.countUndelivered(), 0)
    assert.equal(await store.lastDeliverySequence(), 1)
    const cursorOf = (name: string) => store.findDeliveryCursor(name)
    assert.deepEqual(await cursorOf(stream), { stream, segment: 2, offset: 100 })
    assert.deepEqual(await cursorOf('worker-1'), { stream: 'worker-1', segment: 4, offset: 10 })
    assert.deepEqual(await cursorOf('worker-2'), { stream: 'worker-2', segment: 7, offset: 800 })
    assert.deepEqual(forged, [])
  })

  test(`${engine}: a stream that the machine has no files of begins anew`, async (t) => {
    const { database } = await open(t)
    const { query } = database
    const { store } = storeOf(database)
    const scope = { query, rows: createBoundRows(keyring, assert.fail) }
    for (const name of [stream, 'worker-1']) {
      await insertRecords(auditWriters, scope, [{ stream: name, first: genesis }])
      await saveRecord(deliveryCursors, scope, { stream: name, segment: 3, offset: 800 })
      await query
        .insertInto('event_index_positions')
        .values({ stream: name, segment: 3, offset: 900 })
        .execute()
    }
    await beginStreamsAnew(scope, ['worker-1'])
    assert.equal(await store.findDeliveryCursor(stream), undefined)
    assert.equal(await store.findIndexPosition(stream), undefined)
    assert.equal((await store.findDeliveryCursor('worker-1'))?.segment, 3)
    assert.equal((await store.findIndexPosition('worker-1'))?.segment, 3)
    const writers = await store.listAllAuditWriters()
    assert.deepEqual(
      writers.map((writer) => writer.stream),
      ['worker-1'],
    )
  })
}
