/** XKS proxies that Trent serves in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import {
  insertAccounts,
  newExportedKey,
  newProxyCredential,
  newServedProxy,
  otherProxyId,
  otherRegion,
  proxyId,
} from '../records.ts'

const [one, two] = ['ABCDEFGHIJKLMNOPQRST', 'ZYXWVUTSRQPONMLKJIHG'] as const

for (const { name: engine, open } of engines) {
  test(`${engine}: a proxy, its credentials and its keys are kept, changed and deleted by their versions`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const [proxy, exported] = await store.change(async (transaction) => {
      const made = await transaction.insertServedProxy(newServedProxy())
      await transaction.insertProxyCredential(newProxyCredential(two, { createdAt: 2 }))
      await transaction.insertProxyCredential(newProxyCredential(one, { createdAt: 9 }))
      return [made, await transaction.insertExportedKey(newExportedKey('k1'))] as const
    })
    assert.deepEqual(await store.findServedProxy({ proxyId }), {
      ...newServedProxy(),
      rowVersion: 1,
    })
    const credentials = await store.listProxyCredentials({ proxyId })
    assert.deepEqual(
      credentials.map(({ accessKeyId, limits }) => [accessKeyId, limits]),
      [
        [two, { keyIds: ['k1'] }],
        [one, { keyIds: ['k1'] }],
      ],
    )
    const changed = await store.change((transaction) =>
      transaction.updateExportedKey(exported, { usages: [] }),
    )
    assert.deepEqual(await store.findExportedKey({ proxyId, keyId: 'k1' }), changed)
    await assert.rejects(
      store.change((transaction) => transaction.updateExportedKey(exported, { usages: [] })),
      StaleRow,
    )
    // Each change names the proxy first, by which caches drop all of it.
    const changes = (await store.changesSince(store.epoch() - 2)) ?? []
    assert.deepEqual(
      changes.map(({ kind, id }) => [kind, id]),
      [
        ['served-proxy', proxyId],
        ['proxy-credential', `${proxyId}/${two}`],
        ['proxy-credential', `${proxyId}/${one}`],
        ['exported-key', `${proxyId}/k1`],
        ['exported-key', `${proxyId}/k1`],
      ],
    )
    await store.change(async (transaction) => {
      for (const each of credentials) await transaction.deleteProxyCredential(each)
      await transaction.deleteExportedKey(changed)
      await transaction.deleteServedProxy(proxy)
    })
    assert.equal(await store.findServedProxy({ proxyId }), undefined)
    assert.deepEqual(await store.listProxyCredentials({ proxyId }), [])
  })

  test(`${engine}: names of proxies are unique in an account and Region, and credentials everywhere`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const insert = (proxy: ReturnType<typeof newServedProxy>): Promise<unknown> =>
      store.change((transaction) => transaction.insertServedProxy(proxy))
    await insert(newServedProxy())
    await assert.rejects(insert(newServedProxy({ proxyId: otherProxyId })), DuplicateRow)
    await insert(newServedProxy({ proxyId: otherProxyId, region: otherRegion }))
    await store.change((transaction) => transaction.insertProxyCredential(newProxyCredential(one)))
    const again = newProxyCredential(one, { proxyId: otherProxyId })
    await assert.rejects(
      store.change((transaction) => transaction.insertProxyCredential(again)),
      DuplicateRow,
    )
    const listed = await store.listServedProxies()
    assert.deepEqual(
      listed.map((each) => each.proxyId),
      [proxyId, otherProxyId],
    )
  })
}
