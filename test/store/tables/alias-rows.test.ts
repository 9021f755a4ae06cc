/** Aliases and lists in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, insertKeys, newAlias, newKey, region } from '../records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: an alias is inserted once, repointed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'), newKey('k2'))
    const named = newAlias('alias/a', 'k1')
    await store.change((transaction) => transaction.insertAlias(named))
    const alias = await store.findAlias(named)
    assert.deepEqual(alias, { ...named, rowVersion: 1 })
    await assert.rejects(
      store.change((transaction) => transaction.insertAlias(newAlias('alias/a', 'k2'))),
      DuplicateRow,
    )
    const target = { targetKeyId: 'k2', updatedAt: 50 }
    const moved = await store.change((transaction) => transaction.updateAlias(alias, target))
    assert.deepEqual(moved, { ...alias, ...target, rowVersion: 2 })
    assert.deepEqual(await store.findAlias(named), moved)
    await assert.rejects(
      store.change((transaction) => transaction.updateAlias(alias, target)),
      StaleRow,
    )
    await assert.rejects(
      store.change((transaction) => transaction.deleteAlias(alias)),
      StaleRow,
    )
    await store.change((transaction) => transaction.deleteAlias(moved))
    assert.equal(await store.findAlias(named), undefined)
  })

  test(`${engine}: an alias cannot be inserted for a key that is not there`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await assert.rejects(
      store.change((transaction) => transaction.insertAlias(newAlias('alias/a', 'absent'))),
    )
    assert.equal(store.epoch(), 1)
  })

  test(`${engine}: lists go page by page in byte order`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'), newKey('k2'))
    // In UTF-16 the last two would change places; in a locale's order most would.
    const names = ['B', 'Z', '_', 'a', 'b', 'é', '\ufffd', '\u{10000}'].map((n) => `alias/${n}`)
    await store.change(async (transaction) => {
      for (const [index, name] of names.toReversed().entries()) {
        await transaction.insertAlias(newAlias(name, index % 2 === 0 ? 'k1' : 'k2'))
      }
    })
    const paged: string[] = []
    for (let after: string | undefined; ; after = paged.at(-1)) {
      const page = await store.listAliases(accountId, region, {
        limit: 3,
        ...(after !== undefined && { after }),
      })
      paged.push(...page.map(({ name }) => name))
      if (page.length < 3) break
    }
    assert.deepEqual(paged, names)
    const ofOne = await store.listAliases(accountId, region, { limit: 9, targetKeyId: 'k2' })
    assert.deepEqual(
      ofOne.map(({ name }) => name),
      names.filter((_, index) => index % 2 === 0),
    )
    const count = (keyId: string): Promise<number> =>
      store.countAliases({ accountId, region, keyId })
    assert.deepEqual([await count('k1'), await count('k2'), await count('k3')], [4, 4, 0])
  })

  test(`${engine}: a page longer than one statement answers is whole`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const keys = Array.from({ length: 250 }, (_, index) => newKey(`k${1000 + index}`))
    await insertKeys(store, ...keys)
    const ids = keys.map(({ keyId }) => keyId)
    const listed = async (limit: number, after: string): Promise<readonly string[]> =>
      (await store.listKeys(accountId, region, { limit, after })).map(({ keyId }) => keyId)
    assert.deepEqual(await listed(1000, ''), ids)
    assert.deepEqual(await listed(201, 'k1010'), ids.slice(11, 212))
  })
}
