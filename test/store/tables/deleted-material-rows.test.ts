/** Tombstones of materials that are deleted from existing keys. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { MaterialRecord } from '../../../src/model/key.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Store } from '../../../src/store/store.ts'
import { engines, storeOf, type TestedEngine } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newKey,
  newMaterial,
  newMaterialState,
  otherRegion,
  region,
} from '../records.ts'

const id = (digit: string): string => digit.repeat(64)
const ref = (digit: string) => ({ accountId, region, keyId: 'k', materialId: id(digit) })
const imported = (digit: string, keyId = 'k'): MaterialRecord => ({
  ...newMaterial(id(digit), keyId),
  origin: 'EXTERNAL',
})

const none = { gone: 0, shredded: 0, openedBySeals: [] }
const openedBy = (...all: readonly (readonly [number, number])[]): object[] =>
  all.map(([generation, materials]) => ({ generation, materials }))

interface Opened {
  readonly database: Database
  readonly store: Store
  readonly forged: readonly string[]
  readonly seal: (generation: number) => Promise<void>
  readonly unseal: (generation: number) => Promise<void>
}

/** A key with two materials, under the first seal. */
async function opened(t: TestContext, engine: TestedEngine): Promise<Opened> {
  const { database } = await engine.open(t)
  const { store, forged } = storeOf(database)
  await insertAccounts(store)
  await insertKeys(store, newKey('k', { origin: 'EXTERNAL' }))
  await store.change(async (transaction) => {
    await transaction.insertMaterial(imported('a'))
    await transaction.insertMaterial(imported('b'))
  })
  const seal = async (generation: number): Promise<void> => {
    const sealed_root_key = new Uint8Array(60)
    const row = { generation, kind: 'file', sealed_root_key }
    await database.query.insertInto('seals').values(row).execute()
  }
  const unseal = async (generation: number): Promise<void> => {
    await database.query.deleteFrom('seals').where('generation', '=', generation).execute()
  }
  await seal(1)
  return { database, store, forged, seal, unseal }
}

for (const engine of engines) {
  test(`${engine.name}: material deleted from an existing key is shredded when no seal of its time exists`, async (t) => {
    const { store, forged, seal, unseal } = await opened(t, engine)
    assert.deepEqual(await store.countDeletedMaterials(), none)
    await store.change((transaction) => transaction.emptyMaterial(ref('a')))
    await seal(2)
    // A second deletion does not change the time of the first.
    await store.change((transaction) => transaction.emptyMaterial(ref('a')))
    await store.change((transaction) => transaction.deleteMaterial(ref('b')))
    const both = { gone: 2, shredded: 0, openedBySeals: openedBy([1, 2], [2, 1]) }
    assert.deepEqual(await store.countDeletedMaterials(), both)
    await store.change((transaction) => transaction.deleteMaterial(ref('a')))
    assert.deepEqual(await store.countDeletedMaterials(), both)
    await unseal(1)
    const one = { gone: 2, shredded: 1, openedBySeals: openedBy([2, 1]) }
    assert.deepEqual(await store.countDeletedMaterials(), one)
    await seal(3)
    await unseal(2)
    const shredded = { gone: 2, shredded: 2, openedBySeals: [] }
    assert.deepEqual(await store.countDeletedMaterials(), shredded)
    // They do not count as keys.
    assert.equal((await store.countDeletedKeys()).gone, 0)
    assert.deepEqual(forged, [])
  })

  test(`${engine.name}: material imported again does not count as deleted, until it is deleted again`, async (t) => {
    const { store, seal } = await opened(t, engine)
    await store.change((transaction) => transaction.emptyMaterial(ref('a')))
    await store.change((transaction) => transaction.deleteMaterial(ref('b')))
    await store.change(async (transaction) => {
      await transaction.refillMaterial(imported('a'))
      await transaction.insertMaterial(imported('b'))
    })
    assert.deepEqual(await store.countDeletedMaterials(), none)
    await seal(2)
    await store.change((transaction) => transaction.emptyMaterial(ref('a')))
    const again = { gone: 1, shredded: 0, openedBySeals: openedBy([1, 1], [2, 1]) }
    assert.deepEqual(await store.countDeletedMaterials(), again)
  })

  test(`${engine.name}: when its key is deleted, a material counts with the key`, async (t) => {
    const { store } = await opened(t, engine)
    await insertKeys(store, newKey('other', { origin: 'EXTERNAL' }))
    await store.change(async (transaction) => {
      await transaction.insertMaterial(imported('c', 'other'))
      await transaction.emptyMaterial(ref('a'))
      await transaction.emptyMaterial({ ...ref('c'), keyId: 'other' })
    })
    const key = await store.findKey({ accountId, region, keyId: 'k' })
    assert(key)
    await store.change((transaction) => transaction.deleteKey(key, 9))
    const left = { gone: 1, shredded: 0, openedBySeals: openedBy([1, 1]) }
    assert.deepEqual(await store.countDeletedMaterials(), left)
    const keys = { gone: 1, shredded: 0, openedBySeals: [{ generation: 1, keys: 1 }] }
    assert.deepEqual(await store.countDeletedKeys(), keys)
    await store.change((transaction) => transaction.empty({ accountId }))
    assert.deepEqual(await store.countDeletedMaterials(), none)
  })

  test(`${engine.name}: a material that another Region has is not deleted`, async (t) => {
    const { store } = await opened(t, engine)
    await insertKeys(store, newKey('k', { origin: 'EXTERNAL', region: otherRegion }))
    const state = { region: otherRegion, importState: 'IMPORTED' } as const
    const there = await store.change((transaction) =>
      transaction.insertMaterialState(newMaterialState(id('a'), 'k', state)),
    )
    await store.change((transaction) => transaction.emptyMaterial(ref('a')))
    assert.deepEqual(await store.countDeletedMaterials(), none)
    await store.change(async (transaction) => {
      await transaction.updateMaterialState(there, { importState: 'PENDING_IMPORT' })
      await transaction.emptyMaterial({ ...ref('a'), region: otherRegion })
    })
    assert.equal((await store.countDeletedMaterials()).gone, 1)
  })

  test(`${engine.name}: material emptied before there were tombstones counts under the first seal`, async (t) => {
    const { database, store, seal, unseal } = await opened(t, engine)
    await store.change((transaction) => transaction.emptyMaterial(ref('a')))
    await database.query.deleteFrom('deleted_materials').execute()
    await seal(2)
    const before = { gone: 1, shredded: 0, openedBySeals: openedBy([1, 1]) }
    assert.deepEqual(await store.countDeletedMaterials(), before)
    await unseal(1)
    assert.deepEqual(await store.countDeletedMaterials(), { ...none, gone: 1, shredded: 1 })
  })

  test(`${engine.name}: a forged tombstone of a material does not count`, async (t) => {
    const { database, store, forged } = await opened(t, engine)
    await store.change((transaction) => transaction.deleteMaterial(ref('b')))
    await database.query.updateTable('deleted_materials').set({ seal_generation: 0 }).execute()
    assert.deepEqual(await store.countDeletedMaterials(), none)
    assert.deepEqual(forged, [`deleted_materials/${accountId}/k/${id('b')}`])
  })
}
