/** Material states and due keys in the store, on every engine. @module */
import { sql } from 'kysely'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuplicateRow, StaleRow, type Store } from '../../../src/store/store.ts'
import { createBoundRows } from '../../../src/store/bound-rows.ts'
import { keys } from '../../../src/store/schema/keys.ts'
import type { Row } from '../../../src/store/schema/schema.ts'
import { engines, keyring, storeOf } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newKey,
  newMaterialState,
  otherAccountId,
  otherRegion,
  region,
} from '../records.ts'

const key = { accountId, region, keyId: 'k' }
const id = (digit: string): string => digit.repeat(64)

function insertStates(
  store: Store,
  ...states: readonly ReturnType<typeof newMaterialState>[]
): Promise<void> {
  return store.change(async (transaction) => {
    for (const state of states) await transaction.insertMaterialState(state)
  })
}

for (const { name: engine, open } of engines) {
  test(`${engine}: materials are listed in their order, page by page, of one key and Region`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const elsewhere = { region: otherRegion }
    await insertKeys(store, newKey('k'), newKey('other'), newKey('k', elsewhere))
    const states = [
      newMaterialState(id('f'), 'k', { state: 'NON_CURRENT' }),
      newMaterialState(id('a'), 'k', {
        ordinal: 2,
        state: 'NON_CURRENT',
        importState: 'IMPORTED',
        expirationModel: 'KEY_MATERIAL_EXPIRES',
        validTo: 2 ** 53 - 1,
        description: 'the second: of_2026\n',
        rotationType: 'ON_DEMAND',
        rotatedAt: 5,
      }),
      newMaterialState(id('c'), 'k', { ordinal: 10, rotationType: 'AUTOMATIC', rotatedAt: 6 }),
      newMaterialState(id('b'), 'k', { ordinal: 11, state: 'PENDING_ROTATION' }),
    ]
    await insertStates(store, ...states.toReversed())
    // The same material has another state in another Region.
    const there = newMaterialState(id('a'), 'k', { ...elsewhere, importState: 'PENDING_IMPORT' })
    await insertStates(store, newMaterialState(id('a'), 'other'), there)
    const records = states.map((state) => ({ ...state, rowVersion: 1 }))
    assert.deepEqual(await store.listMaterialStates(key, { limit: 9 }), records)
    assert.deepEqual(
      await store.listMaterialStates(key, { after: '1', limit: 2 }),
      records.slice(1, 3),
    )
    assert.deepEqual(
      await store.listMaterialStates(key, { limit: 9, onlyRotations: true }),
      records.slice(1, 3),
    )
    assert.deepEqual(await store.findMaterialState(states[1] ?? there), records[1])
    assert.deepEqual(await store.findMaterialState(there), { ...there, rowVersion: 1 })
    assert.equal(await store.findMaterialState({ ...key, materialId: id('e') }), undefined)
    for (const [type, count] of [
      ['ON_DEMAND', 1],
      ['AUTOMATIC', 1],
    ] as const) {
      assert.equal(await store.countRotations(key, type), count)
      assert.equal(await store.countRotations({ ...key, keyId: 'other' }, type), 0)
    }
    await assert.rejects(insertStates(store, newMaterialState(id('f'), 'k', { ordinal: 9 })), {
      constructor: DuplicateRow,
    })
    await assert.rejects(insertStates(store, newMaterialState(id('9'), 'k', { ordinal: 10 })), {
      constructor: DuplicateRow,
    })
  })

  test(`${engine}: the row of a key from an earlier version is valid, and is never due`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    const columns = Object.entries(keys.toRow({ ...newKey('k'), rowVersion: 1 }))
    // Column names are part of the tag, and that row was written without these columns.
    const later = /^(rotation|next_rotation|on_demand|transition|material_)/
    const earlier = Object.fromEntries(columns.filter(([name]) => !later.test(name)))
    assert.equal(columns.length - Object.keys(earlier).length, 6)
    const sealed = createBoundRows(keyring, () => assert.fail()).seal(keys, earlier)
    await database.query
      .insertInto('keys')
      .values(sealed as unknown as Row<'keys'>)
      .execute()
    assert.deepEqual(await store.findKey(key), { ...newKey('k'), rowVersion: 1 })
    const page = { dueBy: Number.MAX_SAFE_INTEGER, limit: 9 }
    assert.deepEqual(await store.listKeysToRotate(page), [])
    assert.deepEqual(await store.listStartedRotations(page), [])
    assert.deepEqual(await store.listTransitions(page), [])
    assert.deepEqual(await store.listMaterialStates(key, { limit: 9 }), [])
    assert.deepEqual(forged, [])
  })

  test(`${engine}: a material's row is changed and deleted at its version only`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    const members = { importState: 'IMPORTED', validTo: 7, description: 'd' } as const
    const first = await store.change((transaction) =>
      transaction.insertMaterialState(newMaterialState(id('a'), 'k', members)),
    )
    const second = await store.change((transaction) =>
      transaction.updateMaterialState(first, { state: 'NON_CURRENT', validTo: undefined }),
    )
    const { validTo: _, ...rest } = first
    assert.deepEqual(second, { ...rest, state: 'NON_CURRENT', rowVersion: 2 })
    assert.deepEqual(await store.findMaterialState(first), second)
    const changes = [
      store.change((transaction) => transaction.updateMaterialState(first, {})),
      store.change((transaction) => transaction.deleteMaterialState(first)),
    ]
    await Promise.all(changes.map((change) => assert.rejects(change, StaleRow)))
    await store.change((transaction) => transaction.deleteMaterialState(second))
    assert.deepEqual(await store.listMaterialStates(key, { limit: 1 }), [])
  })

  test(`${engine}: a change of a material names its key`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    const seq = store.epoch()
    await insertStates(store, newMaterialState(id('a'), 'k'))
    assert.deepEqual(await store.changesSince(seq), [
      { seq: seq + 1, kind: 'key', accountId, region, id: 'k' },
    ])
  })

  test(`${engine}: material states are deleted with their key, and with everything`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'), newKey('other'))
    await insertStates(
      store,
      newMaterialState(id('a'), 'k'),
      newMaterialState(id('b'), 'k', { ordinal: 2 }),
      newMaterialState(id('c'), 'other'),
    )
    await sql`DELETE FROM keys WHERE key_id = 'k'`.execute(database.query)
    assert.deepEqual(await store.listMaterialStates(key, { limit: 9 }), [])
    assert.equal(
      (await store.listMaterialStates({ ...key, keyId: 'other' }, { limit: 9 })).length,
      1,
    )
    await store.change((transaction) => transaction.empty({ accountId }))
    assert.deepEqual(await store.listMaterialStates({ ...key, keyId: 'other' }, { limit: 9 }), [])
  })

  test(`${engine}: what is due comes once, the longest due first, of all accounts and Regions`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    const due = (keyId: string, at: number, members = {}): ReturnType<typeof newKey> =>
      newKey(keyId, { nextRotationAt: at, onDemandRotationStartedAt: at, ...members })
    const inOrder = [
      due('z', 1, { region: otherRegion }),
      due('b', 2),
      due('b', 2, { accountId: otherAccountId }),
      due('a', 3),
      due('c', 3),
      due('at', 4),
    ]
    const off = due('off', 1, { state: 'Disabled' })
    await insertKeys(store, ...inOrder.toReversed(), due('later', 5), newKey('never'), off)
    const read = async (
      list: 'listKeysToRotate' | 'listStartedRotations',
      limit: number,
    ): Promise<readonly string[]> => {
      const found: string[] = []
      let page = await store[list]({ dueBy: 4, limit })
      for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
        found.push(...page.map(({ accountId: account, keyId }) => `${account} ${keyId}`))
        page = await store[list]({ dueBy: 4, after: last, limit })
      }
      return found
    }
    const expected = inOrder.map(({ accountId: account, keyId }) => `${account} ${keyId}`)
    for (const limit of [1, 2, 3, 100]) {
      assert.deepEqual(await read('listKeysToRotate', limit), expected)
      // A rotation that was started continues in every state of the key.
      const started = expected.toSpliced(0, 0, `${accountId} off`).toSorted()
      assert.deepEqual((await read('listStartedRotations', limit)).toSorted(), started)
    }
    await sql`UPDATE keys SET state = 'Enabled' WHERE key_id = 'off'`.execute(database.query)
    assert.deepEqual(await read('listKeysToRotate', 1), expected)
    assert(forged.includes(`keys/${accountId}/${region}/off`))
  })

  test(`${engine}: materials that have expired come once, the longest expired first`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'), newKey('l'))
    const expiring = [
      newMaterialState(id('e'), 'k', { validTo: 1 }),
      newMaterialState(id('a'), 'k', { ordinal: 2, validTo: 2 }),
      newMaterialState(id('b'), 'k', { ordinal: 3, validTo: 2 }),
      newMaterialState(id('a'), 'l', { validTo: 2 }),
    ]
    const later = newMaterialState(id('c'), 'k', { ordinal: 4, validTo: 3 })
    await insertStates(
      store,
      ...expiring.toReversed(),
      later,
      newMaterialState(id('d'), 'l', { ordinal: 2 }),
    )
    for (const limit of [1, 2, 9]) {
      const found = []
      let page = await store.listExpiredMaterials({ dueBy: 2, limit })
      for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
        found.push(...page)
        page = await store.listExpiredMaterials({ dueBy: 2, after: last, limit })
      }
      assert.deepEqual(
        found,
        expiring.map((state) => ({ ...state, rowVersion: 1 })),
      )
    }
  })
}
