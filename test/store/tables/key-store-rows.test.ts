/** Custom key stores in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CustomKeyStoreRecord } from '../../../src/model/custom-key-store.ts'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  newKey,
  newKeyStore,
  otherAccountId,
  otherRegion,
  region,
  storeId,
} from '../records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: a key store is inserted once, changed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const inserted = await store.change((transaction) => transaction.insertKeyStore(newKeyStore()))
    assert.deepEqual(inserted, { ...newKeyStore(), rowVersion: 1 })
    assert.deepEqual(await store.findKeyStore(inserted), inserted)
    await assert.rejects(
      store.change((transaction) => transaction.insertKeyStore(newKeyStore())),
      DuplicateRow,
    )
    const failed = await store.change((transaction) =>
      transaction.updateKeyStore(inserted, {
        connection: 'FAILED',
        connectionError: 'INVALID_CREDENTIALS',
      }),
    )
    assert.deepEqual(await store.findKeyStore(inserted), failed)
    await assert.rejects(
      store.change((transaction) => transaction.deleteKeyStore(inserted)),
      StaleRow,
    )
    const changes = await store.changesSince(store.epoch() - 1)
    assert.deepEqual(
      changes?.map(({ kind, id }) => [kind, id]),
      [['key-store', storeId]],
    )
    await store.change((transaction) => transaction.deleteKeyStore(failed))
    assert.equal(await store.findKeyStore(inserted), undefined)
  })

  test(`${engine}: key stores are listed by account and Region, and by state`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const given = [
      newKeyStore({ storeId: 'cks-b', connection: 'CONNECTING' }),
      newKeyStore({ storeId: 'cks-a' }),
      newKeyStore({ storeId: 'cks-a', region: otherRegion, connection: 'CONNECTING' }),
      newKeyStore({ storeId: 'cks-a', accountId: otherAccountId }),
    ]
    await store.change(async (transaction) => {
      for (const each of given) await transaction.insertKeyStore(each)
    })
    const idsOf = (found: readonly CustomKeyStoreRecord[]): readonly string[] =>
      found.map((each) => `${each.accountId} ${each.region} ${each.storeId}`)
    assert.deepEqual(idsOf(await store.listKeyStores(accountId, region)), [
      `${accountId} ${region} cks-a`,
      `${accountId} ${region} cks-b`,
    ])
    assert.equal((await store.listKeyStoresIn('CONNECTING', 10)).length, 2)
    assert.equal((await store.listKeyStoresIn('CONNECTING', 1)).length, 1)
  })

  test(`${engine}: the keys of a store are listed by state and by external key`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const inStore = { customKeyStoreId: storeId, origin: 'EXTERNAL_KEY_STORE' } as const
    await store.change(async (transaction) => {
      const keys = [
        newKey('k1', { ...inStore, xksKeyId: 'one' }),
        newKey('k2', { ...inStore, xksKeyId: 'two', state: 'Disabled' }),
        newKey('k3', { ...inStore, xksKeyId: 'one', customKeyStoreId: 'cks-other' }),
        newKey('k4'),
      ]
      for (const key of keys) await transaction.insertKey(key)
    })
    const idsOf = async (of: Parameters<typeof store.listKeysInStore>[1]) =>
      (await store.listKeysInStore({ accountId, region, storeId }, of)).map(({ keyId }) => keyId)
    assert.deepEqual(await idsOf({ limit: 10 }), ['k1', 'k2'])
    assert.deepEqual(await idsOf({ limit: 1 }), ['k1'])
    assert.deepEqual(await idsOf({ states: ['Disabled', 'Enabled'], limit: 10 }), ['k1', 'k2'])
    assert.deepEqual(await idsOf({ states: ['Disabled'], limit: 10 }), ['k2'])
    assert.deepEqual(await idsOf({ xksKeyId: 'one', limit: 10 }), ['k1'])
  })
}
