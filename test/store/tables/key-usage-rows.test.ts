/** The last uses of keys, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NotedUsage } from '../../../src/model/last-usage.ts'
import type { Store } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, insertKeys, newKey, otherRegion, region } from '../records.ts'

function used(keyId: string, usedAt: number, members: Partial<NotedUsage> = {}): NotedUsage {
  return {
    accountId,
    region,
    keyId,
    keyCreatedAt: newKey(keyId).createdAt,
    operation: 'Decrypt',
    usedAt,
    eventId: `event ${usedAt}`,
    requestId: `request ${usedAt}`,
    ...members,
  }
}

const usedAt = async (store: Store, keyId: string, inRegion = region) =>
  (await store.findLastUsage({ accountId, region: inRegion, keyId }))?.usedAt

for (const { name: engine, open } of engines) {
  test(`${engine}: uses are tracked since the first start, whenever the next one is`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    assert.equal(await store.trackUsageSince(5), 5)
    assert.equal(await store.trackUsageSince(9), 5)
  })

  test(`${engine}: since when uses are tracked is bound, and begins anew where it is not`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await store.trackUsageSince(5)
    await database.query.updateTable('key_usage_tracking').set({ since: 1 }).execute()
    assert.equal(await store.trackUsageSince(9), 9)
    assert.deepEqual(forged, ['key_usage_tracking/1'])
    await database.query
      .updateTable('key_usage_tracking')
      .set({ since: 1, row_tag: new Uint8Array() })
      .execute()
    assert.equal(await store.trackUsageSince(11), 11)
    await database.query.deleteFrom('key_usage_tracking').execute()
    assert.equal(await store.trackUsageSince(13), 13)
    assert.equal(await store.trackUsageSince(15), 13)
  })

  test(`${engine}: a missing row of a key is unproved, and a key that does not exist has none`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'), newKey('other'))
    await store.trackUsageSince(5)
    await database.query.deleteFrom('key_usage').where('key_id', '=', 'k').execute()
    assert.equal((await store.findLastUsage(newKey('k')))?.unproved, true)
    assert.deepEqual(forged, [`key_usage/${accountId}/${region}/k`])
    assert.equal(await store.findLastUsage(newKey('other')), undefined)
    assert.equal(await store.findLastUsage(newKey('absent')), undefined)
    // Another start of tracking does not make it look unused either.
    await store.trackUsageSince(9)
    assert.equal((await store.findLastUsage(newKey('k')))?.unproved, true)
    // A forged empty row is unproved too.
    const row = { account_id: accountId, region, key_id: 'k', event_id: '', request_id: '' }
    const forgedRow = { ...row, operation: '', used_at: 1, row_tag: new Uint8Array(32) }
    await database.query.insertInto('key_usage').values(forgedRow).execute()
    assert.equal((await store.findLastUsage(newKey('k')))?.unproved, true)
    await store.saveLastUsages([used('k', 10)])
    assert.equal((await store.findLastUsage(newKey('k')))?.unproved, undefined)
  })

  test(`${engine}: the first use counts, at whatever time the key was made`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    await store.saveLastUsages([used('k', newKey('k').createdAt - 1)])
    assert.equal(await usedAt(store, 'k'), newKey('k').createdAt - 1)
  })

  test(`${engine}: keys from before tracking began get rows when it begins`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    const ids = Array.from({ length: 601 }, (_, index) => `key-${index}`)
    await insertKeys(store, ...ids.map((keyId) => newKey(keyId)))
    await store.saveLastUsages([used('key-5', 50)])
    await database.query.deleteFrom('key_usage').where('key_id', '!=', 'key-5').execute()
    await store.trackUsageSince(100)
    for (const keyId of ['key-0', 'key-600']) {
      assert.equal(await store.findLastUsage(newKey(keyId)), undefined)
    }
    assert.equal(await usedAt(store, 'key-5'), 50)
    assert.deepEqual(forged, [])
  })

  test(`${engine}: a last use is found as it was saved, and is no numbered change`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    const before = store.epoch()
    assert.equal(await store.findLastUsage(newKey('k')), undefined)
    const usage = used('k', 5)
    await store.saveLastUsages([usage])
    const { keyCreatedAt: _, ...expected } = usage
    assert.deepEqual(await store.findLastUsage(newKey('k')), expected)
    assert.equal(store.epoch(), before)
    assert.deepEqual(await store.changesSince(before), [])
  })

  test(`${engine}: a forged last use is returned as unproved`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    await store.saveLastUsages([used('k', 500)])
    await database.query.updateTable('key_usage').set({ used_at: 5 }).execute()
    const last = await store.findLastUsage(newKey('k'))
    assert.deepEqual([last?.usedAt, last?.unproved], [5, true])
    assert.equal(forged.length, 1)
    await database.query.updateTable('key_usage').set({ row_tag: new Uint8Array() }).execute()
    assert.equal((await store.findLastUsage(newKey('k')))?.unproved, true)
    await store.saveLastUsages([used('k', 501)])
    assert.equal((await store.findLastUsage(newKey('k')))?.unproved, undefined)
  })

  test(`${engine}: a later use replaces an earlier one, and never the other way round`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    await store.saveLastUsages([used('k', 5)])
    await store.saveLastUsages([used('k', 7, { operation: 'ReEncrypt' })])
    await store.saveLastUsages([used('k', 6)])
    const last = await store.findLastUsage(newKey('k'))
    assert.deepEqual(
      [last?.operation, last?.usedAt, last?.eventId, last?.requestId],
      ['ReEncrypt', 7, 'event 7', 'request 7'],
    )
    await store.saveLastUsages([used('k', 7)])
    assert.equal((await store.findLastUsage(newKey('k')))?.operation, 'Decrypt')
  })

  test(`${engine}: each Region's replica has a use of its own`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('mrk-1'), newKey('mrk-1', { region: otherRegion }))
    await store.saveLastUsages([used('mrk-1', 5), used('mrk-1', 6, { region: otherRegion })])
    assert.deepEqual(
      [await usedAt(store, 'mrk-1'), await usedAt(store, 'mrk-1', otherRegion)],
      [5, 6],
    )
  })

  test(`${engine}: a use of a deleted key, or of an earlier key of the same id, is ignored`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('a'), newKey('b'), newKey('c'))
    const { createdAt } = newKey('b')
    await store.saveLastUsages([
      used('a', 5),
      used('gone', 5),
      used('b', 5, { keyCreatedAt: createdAt - 1 }),
      used('c', 5),
    ])
    const all = await Promise.all(['a', 'gone', 'b', 'c'].map((keyId) => usedAt(store, keyId)))
    assert.deepEqual(all, [5, undefined, undefined, 5])
    await store.saveLastUsages([used('gone', 5)])
    await store.saveLastUsages([])
  })

  test(`${engine}: more keys than fit one statement are saved in one go`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const ids = Array.from({ length: 601 }, (_, index) => `key-${index}`)
    await insertKeys(store, ...ids.map((keyId) => newKey(keyId)))
    await store.saveLastUsages(ids.map((keyId, index) => used(keyId, index + 1)))
    for (const at of [1, 250, 251, 500, 601]) {
      assert.equal(await usedAt(store, `key-${at - 1}`), at)
    }
  })

  test(`${engine}: emptying deletes the uses, but not the start of tracking`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    await store.trackUsageSince(3)
    await store.saveLastUsages([used('k', 5)])
    await store.change((transaction) => transaction.empty({ accountId }))
    assert.equal(await store.findLastUsage(newKey('k')), undefined)
    await store.saveLastUsages([used('k', 6)])
    await insertKeys(store, newKey('k', { createdAt: 9 }))
    assert.equal(await store.findLastUsage(newKey('k')), undefined)
    assert.equal(await store.trackUsageSince(8), 3)
  })

  test(`${engine}: a key's last use is deleted with the key`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'), newKey('kept'))
    await store.saveLastUsages([used('k', 5), used('kept', 5)])
    await database.query.deleteFrom('keys').where('key_id', '=', 'k').execute()
    assert.deepEqual([await usedAt(store, 'k'), await usedAt(store, 'kept')], [undefined, 5])
  })
}
