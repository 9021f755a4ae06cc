/** OpenID Connect providers in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OidcProviderRecord } from '../../../src/model/oidc-provider.ts'
import { DuplicateRow, StaleRow, type Transaction } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, otherAccountId } from '../records.ts'

const newProvider = (name: string, owner = accountId): Omit<OidcProviderRecord, 'rowVersion'> => ({
  accountId: owner,
  name,
  url: `https://${name}`,
  clientIds: ['a'],
  thumbprints: ['b'.repeat(40)],
  tags: [{ Key: 'k', Value: 'v' }],
  createdAt: 3,
})

for (const { name: engine, open } of engines) {
  test(`${engine}: a provider is inserted once, changed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const given = newProvider('a.example')
    await store.change((transaction) => transaction.insertOidcProvider(given))
    const provider = await store.findOidcProvider(given)
    assert.deepEqual(provider, { ...given, rowVersion: 1 })
    await assert.rejects(
      store.change((transaction) => transaction.insertOidcProvider(given)),
      DuplicateRow,
    )
    await store.change((transaction) =>
      transaction.updateOidcProvider(provider, { clientIds: ['a', 'b'], tags: [] }),
    )
    const changed = await store.findOidcProvider(given)
    assert.deepEqual(changed, { ...provider, clientIds: ['a', 'b'], tags: [], rowVersion: 2 })
    for (const stale of [
      (transaction: Transaction) => transaction.updateOidcProvider(provider, { tags: [] }),
      (transaction: Transaction) => transaction.deleteOidcProvider(provider),
    ]) {
      await assert.rejects(store.change<unknown>(stale), StaleRow)
    }
    await store.change((transaction) => transaction.deleteOidcProvider(changed))
    assert.equal(await store.findOidcProvider(given), undefined)
  })

  test(`${engine}: providers are an account’s own, by name, and a forged one is absent`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      for (const name of ['b.example', 'a.example', 'c.example']) {
        await transaction.insertOidcProvider(newProvider(name))
      }
      await transaction.insertOidcProvider(newProvider('a.example', otherAccountId))
    })
    await database.query
      .updateTable('oidc_providers')
      .set({ url: 'https://evil.example' })
      .where('name', '=', 'c.example')
      .execute()
    const names = (await store.listOidcProviders(accountId)).map(({ name }) => name)
    assert.deepEqual(names, ['a.example', 'b.example'])
    assert.equal(await store.findOidcProvider({ accountId, name: 'c.example' }), undefined)
    assert.deepEqual(forged, Array(2).fill(`oidc_providers/${accountId}/c.example`))
  })
}
