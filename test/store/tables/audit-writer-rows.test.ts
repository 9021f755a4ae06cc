/** Writers of the audit journal in the store. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { genesis } from '../../../src/model/audit-writer.ts'
import { engines, storeOf } from '../engines.ts'

const checkpoint = { text: '{"checkpoint":1}', signature: new Uint8Array(64) }
const first = { segment: 3, hash: 'ab'.repeat(32), records: 20 }

for (const { name: engine, open } of engines) {
  test(`${engine}: one changes where a stream begins, another its checkpoint, and both hold`, async (t) => {
    const { database, connect } = await open(t)
    const { store } = storeOf(database)
    const { store: other } = storeOf(connect())
    await other.changeAuditWriter('worker-1', { checkpoint })
    assert.deepEqual(await store.listAuditWriters(), [
      { stream: 'worker-1', first: genesis, checkpoint },
    ])
    const next = { ...checkpoint, text: '{"checkpoint":2}' }
    await Promise.all([
      store.changeAuditWriter('worker-1', { first }),
      other.changeAuditWriter('worker-1', { checkpoint: next }),
    ])
    assert.deepEqual(await store.listAuditWriters(), [
      { stream: 'worker-1', first, checkpoint: next },
    ])
  })

  test(`${engine}: a forged writer is absent, and starts from nothing`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await store.changeAuditWriter('worker-1', { first, checkpoint })
    await database.query.updateTable('audit_writers').set({ first_segment: 9 }).execute()
    assert.deepEqual(await store.listAuditWriters(), [])
    assert.deepEqual(forged, ['audit_writers/worker-1'])
    await store.changeAuditWriter('worker-1', { checkpoint })
    assert.deepEqual(await store.listAuditWriters(), [
      { stream: 'worker-1', first: genesis, checkpoint },
    ])
  })
}
