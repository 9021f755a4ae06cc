/** Deletion of a key in the store, on every engine, and in the files of the embedded one. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Database } from '../../../src/store/database.ts'
import { attachDatabase, openDatabase } from '../../../src/store/open.ts'
import { StaleRow, type Store } from '../../../src/store/store.ts'
import { engines, storeOf, temporaryFolder } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  newAlias,
  newGrant,
  newKey,
  newMaterial,
  newMaterialState,
  otherRegion,
  region,
} from '../records.ts'

const id = (digit: string): string => digit.repeat(64)
const ref = { accountId, region, keyId: 'mrk-1' }

const none = { gone: 0, shredded: 0, openedBySeals: [] }

async function seal(database: Database, generation: number): Promise<void> {
  const sealed_root_key = new Uint8Array(60)
  await database.query
    .insertInto('seals')
    .values({ generation, kind: 'file', sealed_root_key })
    .execute()
}

async function fill(store: Store): Promise<void> {
  await insertAccounts(store)
  await store.change(async (transaction) => {
    for (const place of [region, otherRegion]) {
      await transaction.insertKey(newKey('mrk-1', { region: place, primaryRegion: region }))
    }
    await transaction.insertKey(newKey('stays'))
    await transaction.insertMaterial(newMaterial(id('a'), 'mrk-1'))
    await transaction.insertMaterialState(newMaterialState(id('a'), 'mrk-1'))
    await transaction.insertAlias(newAlias('alias/one', 'mrk-1'))
    await transaction.insertAlias(newAlias('alias/other', 'stays'))
    await transaction.insertGrant(newGrant(id('1'), 'mrk-1'))
    await transaction.insertGrant(newGrant(id('2'), 'stays'))
  })
}

async function present(store: Store, place = ref) {
  const key = await store.findKey(place)
  assert(key)
  return key
}

for (const { name: engine, open } of engines) {
  test(`${engine}: a key is deleted with everything that belongs to it, and nothing else is`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await seal(database, 1)
    await fill(store)
    const key = await present(store)
    const before = store.epoch()
    await store.change((transaction) => transaction.deleteKey(key, 99))
    assert.equal(await store.findKey(ref), undefined)
    assert.equal(await store.findAlias({ accountId, region, name: 'alias/one' }), undefined)
    assert.equal(await store.countGrants(ref), 0)
    assert.deepEqual(await store.listMaterialStates(ref, { limit: 9 }), [])
    assert(await store.findAlias({ accountId, region, name: 'alias/other' }))
    assert.equal(await store.countGrants({ accountId, region, keyId: 'stays' }), 1)
    const touched = (await store.changesSince(before))?.map(({ kind, id: of }) => `${kind} ${of}`)
    assert.deepEqual(touched?.toSorted(), ['alias alias/one', 'grant mrk-1', 'key mrk-1'])
    // Another Region's key of the same id still needs the material.
    assert(await store.findMaterial(id('a')))
    assert.deepEqual(await store.countDeletedKeys(), { ...none, gone: 1 })
    const other = await present(store, { ...ref, region: otherRegion })
    await store.change((transaction) => transaction.deleteKey(other, 100))
    assert.equal(await store.findMaterial(id('a')), undefined)
    assert.deepEqual(await store.countDeletedKeys(), {
      gone: 2,
      shredded: 0,
      openedBySeals: [{ generation: 1, keys: 1 }],
    })
    assert.deepEqual(forged, [])
  })

  test(`${engine}: a key that has changed since is not deleted, nor anything of it`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await fill(store)
    const key = await present(store)
    await store.change((transaction) => transaction.updateKey(key, { description: 'another' }))
    await assert.rejects(
      store.change((transaction) => transaction.deleteKey(key, 99)),
      StaleRow,
    )
    assert(await store.findAlias({ accountId, region, name: 'alias/one' }))
    assert.equal(await store.countGrants(ref), 1)
    assert.deepEqual(await store.countDeletedKeys(), none)
  })

  test(`${engine}: a deleted key is shredded when no seal of its time exists`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    const make = (keyId: string, digit: string): Promise<void> =>
      store.change(async (transaction) => {
        await transaction.insertKey(newKey(keyId))
        await transaction.insertMaterial(newMaterial(id(digit), keyId))
      })
    const end = async (keyId: string): Promise<void> => {
      const key = await present(store, { accountId, region, keyId })
      await store.change((transaction) => transaction.deleteKey(key, 99))
    }
    const unseal = async (generation: number): Promise<void> => {
      await database.query.deleteFrom('seals').where('generation', '=', generation).execute()
    }
    await seal(database, 1)
    await make('first', 'a')
    await make('second', 'b')
    await end('first')
    // Another root key: while both seals exist, both open copies from that time.
    await seal(database, 2)
    await end('second')
    const openedBySeals = [
      { generation: 1, keys: 2 },
      { generation: 2, keys: 1 },
    ]
    assert.deepEqual(await store.countDeletedKeys(), { gone: 2, shredded: 0, openedBySeals })
    await unseal(1)
    assert.deepEqual(await store.countDeletedKeys(), {
      gone: 2,
      shredded: 1,
      openedBySeals: [{ generation: 2, keys: 1 }],
    })
    await seal(database, 3)
    await unseal(2)
    assert.deepEqual(await store.countDeletedKeys(), { ...none, gone: 2, shredded: 2 })
  })

  test(`${engine}: a forged tombstone does not count`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await fill(store)
    const key = await present(store)
    await store.change((transaction) => transaction.deleteKey(key, 99))
    await database.query.updateTable('deleted_keys').set({ deleted_at: 5 }).execute()
    assert.deepEqual(await store.countDeletedKeys(), none)
    assert.equal(forged.length, 1)
  })

  test(`${engine}: the clock mark is the last one saved, and a forged one is ignored`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    assert.equal(await store.findClockMark(), undefined)
    await store.saveClockMark(5)
    await store.saveClockMark(9)
    assert.equal(await store.findClockMark(), 9)
    await database.query.updateTable('clock_mark').set({ reached: 5 }).execute()
    assert.equal(await store.findClockMark(), undefined)
  })
}

test('sqlite: wrapped material is in no file once it was deleted and scrubbed, and not before', async (t) => {
  const folder = temporaryFolder(t)
  const database = await openDatabase({ path: join(folder, 'trent.db') })
  t.after(() => database.close())
  const { store } = storeOf(database)
  await insertAccounts(store)
  const wrapped = randomBytes(400)
  await store.change(async (transaction) => {
    await transaction.insertKey(newKey('k'))
    await transaction.insertMaterial({ ...newMaterial(id('b'), 'k'), wrapped })
  })
  const found = (): boolean =>
    readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(wrapped))
  assert.equal(found(), true)
  const key = await present(store, { accountId, region, keyId: 'k' })
  // Nothing is left to be scrubbed, until another worker deletes.
  await store.scrub()
  const other = attachDatabase(database.share())
  t.after(() => other.close())
  await storeOf(other).store.change((transaction) => transaction.deleteKey(key, 99))
  assert.equal(await store.findMaterial(id('b')), undefined)
  // The log still has it.
  assert.equal(found(), true)
  await store.scrub()
  assert.equal(found(), false)
})
