/** Keys in HSMs on which no KMS key relies, in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HsmObject } from '../../../src/model/hsm-object.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, newKeyStore, region, storeId } from '../records.ts'

function objectOf(id: string, more: Partial<HsmObject> = {}): HsmObject {
  const place = { accountId, region, storeId, keyId: `key-${id}` }
  return { ...place, materialId: id, phase: 'making', since: 100, ...more }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: an object that is being made is either used by its key or claimed`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await store.change((transaction) => transaction.insertKeyStore(newKeyStore()))
    const [used, lost] = [objectOf('a'), objectOf('b')]
    for (const object of [used, lost]) await store.noteHsmObject(object)
    assert.deepEqual(await store.findHsmObject(used), used)
    const use = (object: HsmObject) =>
      store.change((transaction) => transaction.deleteHsmObject({ ...object, phase: 'making' }))
    assert.equal(await use(used), true)
    assert.equal(await use(used), false)
    assert.equal(await store.claimHsmObject(used), false)
    assert.equal(await store.claimHsmObject(lost), true)
    assert.equal(await use(lost), false)
    assert.deepEqual(await store.findHsmObject(lost), { ...lost, phase: 'destroying' })
    await store.dropHsmObject(lost)
    assert.equal(await store.findHsmObject(lost), undefined)
  })

  test(`${engine}: objects are listed by pages once they are old enough`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const keyStore = await store.change((transaction) => transaction.insertKeyStore(newKeyStore()))
    const objects = [
      objectOf('a'),
      objectOf('b', { since: 101 }),
      objectOf('c', { phase: 'destroying' }),
    ]
    for (const object of objects) await store.noteHsmObject(object)
    const [a, b, c] = objects
    assert.deepEqual(await store.listHsmObjects({ dueBy: 99, limit: 10 }), [])
    assert.deepEqual(await store.listHsmObjects({ dueBy: 100, limit: 10 }), [a, c])
    assert.deepEqual(await store.listHsmObjects({ dueBy: 101, limit: 2 }), [a, b])
    assert.deepEqual(await store.listHsmObjects({ dueBy: 101, limit: 2, ...(b && { after: b }) }), [
      c,
    ])
    // Nothing can log in to the HSM any more.
    await store.change((transaction) => transaction.deleteKeyStore(keyStore))
    assert.deepEqual(await store.listHsmObjects({ dueBy: 101, limit: 10 }), [])
  })
}
