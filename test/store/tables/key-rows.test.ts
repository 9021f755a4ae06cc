/** KMS keys and their materials in the store, on every engine. @module */
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newKey,
  newMaterial,
  otherAccountId,
  otherRegion,
  region,
} from '../records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: a key comes back with every member, or with none of the optional`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const full = newKey('full', {
      state: 'PendingDeletion',
      deletionDate: 2 ** 53 - 1,
      pendingWindowDays: 7,
      primaryRegion: region,
      rotationPeriodDays: 90,
      nextRotationAt: 2 ** 53 - 2,
      onDemandRotationStartedAt: 2 ** 53 - 3,
      materialExpirationModel: 'KEY_MATERIAL_EXPIRES',
      materialExpiresAt: 2 ** 53 - 4,
    })
    const { currentMaterialId: _, ...bare } = newKey('bare', { tags: [], policyPrincipals: {} })
    await insertKeys(store, full, bare)
    assert.deepEqual(await store.findKey(full), { ...full, rowVersion: 1 })
    assert.deepEqual(await store.findKey(bare), { ...bare, rowVersion: 1 })
  })

  test(`${engine}: the same key id in another account or Region is another key`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const here = newKey('mrk-1')
    const there = newKey('mrk-1', { region: otherRegion, state: 'Disabled' })
    const theirs = newKey('mrk-1', { accountId: otherAccountId, state: 'PendingImport' })
    await insertKeys(store, here, there, theirs)
    for (const key of [here, there, theirs]) {
      assert.equal((await store.findKey(key))?.state, key.state)
      const listed = await store.listKeys(key.accountId, key.region, { limit: 10 })
      assert.deepEqual(listed, [{ ...key, rowVersion: 1 }])
    }
    await assert.rejects(insertKeys(store, here), DuplicateRow)
  })

  test(`${engine}: any text survives in description, tags and principals`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    let count = 0
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    const property = fc.asyncProperty(text, text, text, async (description, TagKey, TagValue) => {
      const tags = [{ TagKey, TagValue }]
      const policyPrincipals = { [`p${TagKey}`]: TagValue }
      const key = newKey(`any-${(count += 1)}`, { description, tags, policyPrincipals })
      await insertKeys(store, key)
      assert.deepEqual(await store.findKey(key), { ...key, rowVersion: 1 })
    })
    const lone: [string, string, string] = ['\u0000\ud800', '\udfff', '\u0000']
    await fc.assert(property, { numRuns: 50, examples: [lone] })
  })

  test(`${engine}: an update sets what is given, clears what is undefined, keeps the rest`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const inserted = await store.change((transaction) => transaction.insertKey(newKey('k')))
    const dying = await store.change((transaction) =>
      transaction.updateKey(inserted, {
        state: 'PendingDeletion',
        deletionDate: 99,
        pendingWindowDays: 7,
      }),
    )
    const state = 'PendingDeletion'
    const expected = { ...inserted, state, deletionDate: 99, pendingWindowDays: 7, rowVersion: 2 }
    assert.deepEqual(dying, expected)
    assert.deepEqual(await store.findKey(inserted), expected)
    const saved = await store.change((transaction) =>
      transaction.updateKey(dying, {
        state: 'Disabled',
        deletionDate: undefined,
        pendingWindowDays: undefined,
        description: '',
        policy: '{}',
        tags: [],
      }),
    )
    assert.deepEqual(await store.findKey(inserted), saved)
    assert.deepEqual(saved, {
      ...inserted,
      state: 'Disabled',
      description: '',
      policy: '{}',
      tags: [],
      rowVersion: 3,
    })
  })

  test(`${engine}: a key that has changed meanwhile is stale to update and to confirm`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const first = await store.change((transaction) => transaction.insertKey(newKey('k')))
    const second = await store.change(async (transaction) => {
      await transaction.confirmKey(first)
      return transaction.updateKey(first, { state: 'Disabled' })
    })
    const stale = { ...second, keyId: 'absent' }
    for (const key of [first, stale]) {
      await assert.rejects(
        store.change((transaction) => transaction.updateKey(key, { state: 'Enabled' })),
        StaleRow,
      )
      await assert.rejects(
        store.change((transaction) => transaction.confirmKey(key)),
        StaleRow,
      )
    }
    assert.deepEqual(await store.findKey(first), second)
  })

  test(`${engine}: materials are listed in the order they were added, of all Regions`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const materials = [
      newMaterial('ff', 'k'),
      newMaterial('11', 'k', { region: otherRegion }),
      newMaterial('88', 'k', { wrapped: Buffer.from('pooled bytes') }),
    ]
    await store.change(async (transaction) => {
      for (const material of materials) await transaction.insertMaterial(material)
      await transaction.insertMaterial(newMaterial('22', 'another'))
    })
    const plain = materials.map((row) => ({ ...row, wrapped: new Uint8Array(row.wrapped) }))
    assert.deepEqual(await store.listMaterials(accountId, 'k'), plain)
    assert.deepEqual(await store.listMaterials(otherAccountId, 'k'), [])
    assert.deepEqual(await store.findMaterial('88'), plain[2])
    assert.equal(await store.findMaterial('00'), undefined)
    await assert.rejects(
      store.change((transaction) => transaction.insertMaterial(newMaterial('88', 'k'))),
      DuplicateRow,
    )
  })
}
