/** Roles in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoleRecord } from '../../../src/model/role.ts'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, otherAccountId } from '../records.ts'

function newRole(name: string, members: Partial<RoleRecord> = {}): Omit<RoleRecord, 'rowVersion'> {
  return {
    roleId: `AROA${name}`,
    accountId,
    name,
    path: '/',
    trustPolicy: '{"Version":"2012-10-17","Statement":[]}',
    trustPrincipals: { 'arn:aws:iam::111122223333:user/ada': 'AIDAada' },
    inlinePolicies: {},
    attachedPolicies: ['ANPAa'],
    tags: [{ Key: 'team', Value: 'blue' }],
    description: 'for the\u0000tests',
    maxSessionSeconds: 3600,
    createdAt: 9,
    ...members,
  }
}

for (const { name: engine, open } of engines) {
  test(`${engine}: a role is inserted once, changed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const given = newRole('Ops', { path: '/a/', serviceLinked: 'a.amazonaws.com' })
    await store.change((transaction) => transaction.insertRole(given))
    const role = await store.findRoleByName(accountId, 'Ops')
    assert.deepEqual(role, { ...given, rowVersion: 1 })
    assert.deepEqual(await store.findRole(role.roleId), role)
    assert.equal(await store.findRoleByName(accountId, 'ops'), undefined)
    assert.equal(await store.findRoleByName(otherAccountId, 'Ops'), undefined)
    await assert.rejects(
      store.change((transaction) => transaction.insertRole(newRole('OPS'))),
      DuplicateRow,
    )
    const bounded = await store.change((transaction) =>
      transaction.updateRole(role, {
        permissionsBoundary: 'ANPAb',
        sessionsRevokedAt: 5,
      }),
    )
    assert.deepEqual(await store.findRole(role.roleId), bounded)
    const { permissionsBoundary, ...unbounded } = bounded
    assert.equal(permissionsBoundary, 'ANPAb')
    const freed = await store.change((transaction) =>
      transaction.updateRole(bounded, { permissionsBoundary: undefined }),
    )
    assert.deepEqual(freed, { ...unbounded, rowVersion: 3 })
    assert.deepEqual(await store.findRole(role.roleId), freed)
    const stale = [
      store.change((transaction) => transaction.updateRole(role, { tags: [] })),
      store.change((transaction) => transaction.confirmRole(role)),
      store.change((transaction) => transaction.deleteRole(role)),
    ]
    for (const each of stale) await assert.rejects(each, StaleRow)
    await store.change((transaction) => transaction.confirmRole(freed))
    await store.change((transaction) => transaction.deleteRole(freed))
    assert.equal(await store.findRole(role.roleId), undefined)
    const kinds = (await store.changesSince(1))?.map(({ kind, id }) => `${kind} ${id}`)
    assert.deepEqual(
      kinds,
      Array.from({ length: 4 }, () => 'role AROAOps'),
    )
  })

  test(`${engine}: roles are listed by name under a path, counted, and emptied`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertRole(newRole('c', { path: '/ops/' }))
      await transaction.insertRole(newRole('a', { path: '/ops/x/' }))
      await transaction.insertRole(newRole('b'))
      await transaction.insertRole(newRole('d', { accountId: otherAccountId }))
    })
    const names = async (page: { limit: number; after?: string }, pathPrefix = '/') =>
      (await store.listRoles(accountId, { ...page, pathPrefix })).map(({ name }) => name)
    assert.deepEqual(await names({ limit: 2 }), ['a', 'b'])
    assert.deepEqual(await names({ limit: 2, after: 'b' }), ['c'])
    assert.deepEqual(await names({ limit: 9 }, '/ops/'), ['a', 'c'])
    assert.equal(await store.countRoles(accountId), 3)
    await store.change((transaction) => transaction.empty({ accountId }))
    assert.equal(await store.countRoles(accountId), 0)
  })

  test(`${engine}: the last use of a role is the latest, and is deleted with its role`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await store.change((transaction) => transaction.insertRole(newRole('a')))
    const use = (roleId: string, usedAt: number) => ({ roleId, usedAt, region: `r-${usedAt}` })
    assert.equal(await store.findRoleUse('AROAa'), undefined)
    const before = store.epoch()
    await store.saveRoleUses([use('AROAa', 5), use('AROAnobody', 5)])
    await store.saveRoleUses([use('AROAa', 4)])
    assert.deepEqual(await store.findRoleUse('AROAa'), use('AROAa', 5))
    await store.saveRoleUses([use('AROAa', 6)])
    assert.deepEqual(await store.findRoleUse('AROAa'), use('AROAa', 6))
    assert.equal(await store.findRoleUse('AROAnobody'), undefined)
    assert.equal(store.epoch(), before)
    const role = await store.findRole('AROAa')
    assert(role)
    await store.change((transaction) => transaction.deleteRole(role))
    assert.equal(await store.findRoleUse('AROAa'), undefined)
  })

  test(`${engine}: a role with a forged trust policy is absent, and reported`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await store.change((transaction) => transaction.insertRole(newRole('a')))
    await database.query.updateTable('roles').set({ trust_principals: '{}' }).execute()
    assert.equal(await store.findRole('AROAa'), undefined)
    assert.deepEqual(await store.listRoles(accountId, { limit: 9, pathPrefix: '/' }), [])
    assert.deepEqual(forged, ['roles/AROAa', 'roles/AROAa'])
  })
}
