/** Managed policies in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedPolicyRecord } from '../../../src/model/managed-policy.ts'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, otherAccountId } from '../records.ts'

function newPolicy(
  name: string,
  members: Partial<ManagedPolicyRecord> = {},
): Omit<ManagedPolicyRecord, 'rowVersion'> {
  return {
    policyId: `ANPA${name}`,
    accountId,
    name,
    path: '/',
    description: 'a\u0000b',
    versions: [{ versionId: 'v1', document: '{}', createdAt: 3 }],
    defaultVersionId: 'v1',
    nextVersion: 2,
    attachments: 0,
    boundaries: 0,
    tags: [],
    createdAt: 3,
    updatedAt: 4,
    ...members,
  }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: a managed policy is inserted once, changed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const given = newPolicy('Use')
    await store.change((transaction) => transaction.insertManagedPolicy(given))
    const policy = await store.findManagedPolicy('ANPAUse')
    assert.deepEqual(policy, { ...given, rowVersion: 1 })
    assert.deepEqual(await store.findManagedPolicyByName(accountId, 'Use'), policy)
    assert.equal(await store.findManagedPolicyByName(otherAccountId, 'Use'), undefined)
    await assert.rejects(
      store.change((transaction) => transaction.insertManagedPolicy(newPolicy('USE'))),
      DuplicateRow,
    )
    const changed = await store.change((transaction) =>
      transaction.updateManagedPolicy(policy, { attachments: 1 }),
    )
    assert.deepEqual(await store.findManagedPolicy('ANPAUse'), changed)
    const stale = [
      store.change((transaction) => transaction.updateManagedPolicy(policy, { attachments: 2 })),
      store.change((transaction) => transaction.deleteManagedPolicy(policy)),
    ]
    for (const each of stale) await assert.rejects(each, StaleRow)
    await store.change((transaction) => transaction.deleteManagedPolicy(changed))
    assert.equal(await store.findManagedPolicy('ANPAUse'), undefined)
    const kinds = (await store.changesSince(1))?.map(({ kind, id }) => `${kind} ${id}`)
    assert.deepEqual(kinds, Array(3).fill('managed-policy ANPAUse'))
  })

  test(`${engine}: managed policies are listed by name, and a forged one is absent`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertManagedPolicy(newPolicy('b', { attachments: 1 }))
      await transaction.insertManagedPolicy(newPolicy('a', { path: '/x/' }))
      await transaction.insertManagedPolicy(newPolicy('c', { accountId: otherAccountId }))
    })
    const names = async (more: { pathPrefix?: string; onlyAttached?: boolean } = {}) => {
      const page = { limit: 9, pathPrefix: '/', onlyAttached: false, ...more }
      return (await store.listManagedPolicies(accountId, page)).map(({ name }) => name)
    }
    assert.deepEqual(await names(), ['a', 'b'])
    assert.deepEqual(await names({ pathPrefix: '/x/' }), ['a'])
    assert.deepEqual(await names({ onlyAttached: true }), ['b'])
    assert.equal(await store.countManagedPolicies(accountId), 2)
    await database.query.updateTable('managed_policies').set({ versions: '[]' }).execute()
    assert.equal(await store.findManagedPolicy('ANPAa'), undefined)
    assert.deepEqual(forged, ['managed_policies/ANPAa'])
  })
}
