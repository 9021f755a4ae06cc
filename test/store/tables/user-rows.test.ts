/** Users in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserRecord } from '../../../src/model/user.ts'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, newAccessKey, otherAccountId } from '../records.ts'

function newUser(name: string, members: Partial<UserRecord> = {}): Omit<UserRecord, 'rowVersion'> {
  return {
    userId: `AIDA${name}`,
    accountId,
    name,
    path: '/',
    inlinePolicies: {},
    groups: [],
    attachedPolicies: ['ANPAa'],
    tags: [{ Key: 'team', Value: 'blue' }],
    createdAt: 9,
    ...members,
  }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: a user is inserted once, changed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const given = newUser('Ada', { path: '/ops/' })
    await store.change((transaction) => transaction.insertUser(given))
    const user = await store.findUserByName(accountId, 'Ada')
    assert.deepEqual(user, { ...given, rowVersion: 1 })
    assert.deepEqual(await store.findUser(user.userId), user)
    assert.equal(await store.findUserByName(accountId, 'ada'), undefined)
    assert.equal(await store.findUserByName(otherAccountId, 'Ada'), undefined)
    await assert.rejects(
      store.change((transaction) => transaction.insertUser(newUser('ADA'))),
      DuplicateRow,
    )
    const inlinePolicies = JSON.parse('{"__proto__":"a","p":"b"}') as Record<string, string>
    const changed = await store.change((transaction) =>
      transaction.updateUser(user, { inlinePolicies, sessionsRevokedAt: 5 }),
    )
    assert.deepEqual(await store.findUser(user.userId), changed)
    assert.deepEqual(Object.entries(changed.inlinePolicies), Object.entries(inlinePolicies))
    const stale = [
      store.change((transaction) => transaction.updateUser(user, { tags: [] })),
      store.change((transaction) => transaction.confirmUser(user)),
      store.change((transaction) => transaction.deleteUser(user)),
    ]
    await Promise.all(stale.map((each) => assert.rejects(each, StaleRow)))
    await store.change((transaction) => transaction.confirmUser(changed))
    await store.change((transaction) => transaction.deleteUser(changed))
    assert.equal(await store.findUser(user.userId), undefined)
    const kinds = (await store.changesSince(1))?.map(({ kind, id }) => `${kind} ${id}`)
    assert.deepEqual(kinds, ['user AIDAAda', 'user AIDAAda', 'user AIDAAda'])
  })

  test(`${engine}: users are listed by name, page by page, under a path`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertUser(newUser('c', { path: '/ops/' }))
      await transaction.insertUser(newUser('a', { path: '/ops/x/' }))
      await transaction.insertUser(newUser('b'))
      await transaction.insertUser(newUser('d', { accountId: otherAccountId }))
    })
    const names = async (page: { limit: number; after?: string }, pathPrefix = '/') =>
      (await store.listUsers(accountId, { ...page, pathPrefix })).map(({ name }) => name)
    assert.deepEqual(await names({ limit: 2 }), ['a', 'b'])
    assert.deepEqual(await names({ limit: 2, after: 'b' }), ['c'])
    assert.deepEqual(await names({ limit: 9 }, '/ops/'), ['a', 'c'])
    assert.equal(await store.countUsers(accountId), 3)
  })

  test(`${engine}: a forged row of a user is absent, and reported`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await store.change((transaction) => transaction.insertUser(newUser('a')))
    const inline = JSON.stringify({ p: '{}' })
    await database.query.updateTable('users').set({ inline_policies: inline }).execute()
    assert.equal(await store.findUser('AIDAa'), undefined)
    assert.deepEqual(await store.listUsers(accountId, { limit: 9, pathPrefix: '/' }), [])
    assert.deepEqual(forged, ['users/AIDAa', 'users/AIDAa'])
  })

  test(`${engine}: access keys are listed by owner, and deleted by their version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const owned = { principalKind: 'user', principalId: 'AIDAa' } as const
    await store.change(async (transaction) => {
      await transaction.insertAccessKey(newAccessKey('K2', owned))
      await transaction.insertAccessKey(newAccessKey('K1', owned))
      await transaction.insertAccessKey(newAccessKey('K3'))
    })
    const keys = await store.listAccessKeysOf('AIDAa')
    assert.deepEqual(
      keys.map(({ accessKeyId }) => accessKeyId),
      ['K1', 'K2'],
    )
    const [first] = keys
    assert(first)
    const newer = await store.change((transaction) =>
      transaction.updateAccessKey(first, { status: 'Inactive' }),
    )
    await assert.rejects(
      store.change((transaction) => transaction.deleteAccessKey(first)),
      StaleRow,
    )
    await store.change((transaction) => transaction.deleteAccessKey(newer))
    assert.equal(await store.findAccessKey('K1'), undefined)
  })
}
