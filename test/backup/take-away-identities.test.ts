/** What a restore takes away again from users, roles, groups and identity providers. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { engines, storeOf } from '../store/engines.ts'
import {
  accountId,
  insertAccounts,
  newAlias,
  newKey,
  otherAccountId,
  region,
} from '../store/records.ts'
import { judged, logged, takeAll, type Event } from './logged.ts'

const now = 77
const identity = {
  accountId,
  path: '/',
  inlinePolicies: {},
  attachedPolicies: [],
  tags: [],
  createdAt: 1,
}
const inlinePolicies = { one: '{"one":1}', two: '{"two":2}' }
const provider = { accountId, name: 'id.example.com/tenant' }
const providerArn = `arn:aws:iam::${accountId}:oidc-provider/${provider.name}`
const arnOf = (resource: string, owner = accountId): string => `arn:aws:iam::${owner}:${resource}`
const usedArn = arnOf('policy/ops/used')

async function filled(t: TestContext): Promise<Store> {
  const [engine] = engines
  assert.ok(engine)
  const { store } = storeOf((await engine.open(t)).database)
  await insertAccounts(store)
  const version = (versionId: string) => ({ versionId, document: '{}', createdAt: 1 })
  const policy = {
    accountId,
    path: '/ops/',
    description: '',
    tags: [],
    createdAt: 1,
    updatedAt: 1,
    versions: [version('v1'), version('v2')],
    defaultVersionId: 'v2',
    nextVersion: 3,
    attachments: 0,
    boundaries: 0,
  }
  await store.change(async (transaction) => {
    await transaction.insertManagedPolicy({
      ...policy,
      policyId: 'ANPAUSED',
      name: 'used',
      attachments: 2,
    })
    await transaction.insertManagedPolicy({ ...policy, policyId: 'ANPAFREE', name: 'free' })
    const of = { ...identity, inlinePolicies, attachedPolicies: ['ANPAUSED'] }
    await transaction.insertUser({
      ...of,
      userId: 'AIDAALICE',
      name: 'alice',
      path: '/a/b/',
      groups: ['AGPASTAFF'],
    })
    await transaction.insertUser({
      ...identity,
      userId: 'AIDABOB',
      name: 'bob',
      groups: ['AGPASTAFF', 'AGPAREST'],
    })
    await transaction.insertUser({
      ...identity,
      accountId: otherAccountId,
      userId: 'AIDAOTHER',
      name: 'alice',
      groups: [],
    })
    await transaction.insertGroup({ ...of, groupId: 'AGPASTAFF', name: 'staff' })
    const role = {
      ...identity,
      inlinePolicies,
      trustPolicy: '{}',
      trustPrincipals: {},
      maxSessionSeconds: 3600,
    }
    await transaction.insertRole({
      ...role,
      roleId: 'AROAOPS',
      name: 'ops',
      path: '/a/',
      description: '',
    })
    await transaction.insertOidcProvider({
      ...provider,
      url: `https://${provider.name}`,
      clientIds: ['a', 'b'],
      thumbprints: [],
      tags: [],
      createdAt: 1,
    })
  })
  return store
}

async function after(t: TestContext, ...events: readonly Event[]): Promise<Store> {
  const store = await filled(t)
  const changes = logged(events)
  assert.deepEqual(judged(changes)[1], [])
  await takeAll(store, changes, now)
  return store
}

test('a change that finds nothing to take away is not told as taken away', async (t) => {
  const of = { userName: 'alice', groupName: 'staff', policyArn: usedArn }
  const openIDConnectProviderArn = arnOf('oidc-provider/x.example.com')
  const store = await filled(t)
  const outcomes = await takeAll(
    store,
    logged([
      ['RemoveUserFromGroup', of],
      ['RemoveUserFromGroup', { ...of, groupName: 'rest' }],
      ['DetachUserPolicy', of],
      ['DetachRolePolicy', { ...of, roleName: 'ops' }],
      ['DeleteUserPolicy', { ...of, policyName: 'three' }],
      ['DeletePolicyVersion', { policyArn: usedArn, versionId: 'v1' }],
      ['DeletePolicyVersion', { policyArn: usedArn, versionId: 'v9' }],
      ['DeletePolicyVersion', { policyArn: usedArn, versionId: 'v2' }],
      ['DeletePolicy', { policyArn: usedArn }],
      ['DeletePolicy', { policyArn: arnOf('policy/later') }],
      ['DeleteUser', { userName: 'later' }],
      ['DeleteOpenIDConnectProvider', { openIDConnectProviderArn }],
      ['RevokeSessions', { principalArn: arnOf('user/later') }],
      ['DeleteRole', { roleName: 'ops' }],
      ['DeleteKey'],
    ]),
  )
  assert.deepEqual(outcomes, [
    ['RemoveUserFromGroup', 'taken'],
    ['RemoveUserFromGroup', 'absent'],
    ['DetachUserPolicy', 'taken'],
    ['DetachRolePolicy', 'absent'],
    ['DeleteUserPolicy', 'absent'],
    ['DeletePolicyVersion', 'taken'],
    ['DeletePolicyVersion', 'absent'],
    // Another version was in force when it was deleted, and somebody had the policy in the backup.
    ['DeletePolicyVersion', 'left'],
    ['DeletePolicy', 'left'],
    ['DeletePolicy', 'absent'],
    ['DeleteUser', 'absent'],
    ['DeleteOpenIDConnectProvider', 'absent'],
    ['RevokeSessions', 'absent'],
    ['DeleteRole', 'taken'],
    ['DeleteKey', 'absent'],
  ])
})

const revoked = async (store: Store): Promise<unknown> => ({
  alice: (await store.findUser('AIDAALICE'))?.sessionsRevokedAt,
  bob: (await store.findUser('AIDABOB'))?.sessionsRevokedAt,
  other: (await store.findUser('AIDAOTHER'))?.sessionsRevokedAt,
  ops: (await store.findRole('AROAOPS'))?.sessionsRevokedAt,
})
const nobody = { alice: undefined, bob: undefined, other: undefined, ops: undefined }

test('the sessions of a user or a role that its ARN names end, under any path', async (t) => {
  const revoke = (principalArn: string): Event => ['RevokeSessions', { principalArn }]
  const user = await after(t, revoke(arnOf('user/a/b/alice')))
  assert.deepEqual(await revoked(user), { ...nobody, alice: now })
  const role = await after(t, revoke(arnOf('role/a/ops')), revoke(arnOf('user/bob')))
  assert.deepEqual(await revoked(role), { ...nobody, ops: now, bob: now })
  const other = await after(t, revoke(arnOf('user/alice', otherAccountId)))
  assert.deepEqual(await revoked(other), { ...nobody, other: now })
})

test('sessions of nobody else end, if the principal is newer than the backup', async (t) => {
  const arns = [
    arnOf('user/carol'),
    arnOf('role/alice'),
    arnOf('user/ops'),
    arnOf('group/staff'),
    'x',
    '',
  ]
  const events = arns.map((principalArn): Event => ['RevokeSessions', { principalArn }])
  assert.deepEqual(await revoked(await after(t, ...events, ['RevokeSessions'])), nobody)
})

test('an inline policy that was deleted is gone, and the others stay', async (t) => {
  const store = await after(
    t,
    ['DeleteUserPolicy', { userName: 'alice', policyName: 'one' }],
    ['DeleteUserPolicy', { userName: 'carol', policyName: 'one' }],
    ['DeleteRolePolicy', { roleName: 'ops', policyName: 'two' }],
    ['DeleteRolePolicy', { roleName: 'ops', policyName: 'toString' }],
    ['DeleteGroupPolicy', { groupName: 'staff', policyName: 'one' }],
    ['DeleteGroupPolicy', { groupName: 'staff', policyName: 'two' }],
  )
  const { one, two } = inlinePolicies
  assert.deepEqual((await store.findUser('AIDAALICE'))?.inlinePolicies, { two })
  assert.deepEqual((await store.findRole('AROAOPS'))?.inlinePolicies, { one })
  assert.deepEqual((await store.findGroup('AGPASTAFF'))?.inlinePolicies, {})
})

test('an inline policy that was put may deny something: it cannot be repeated', () => {
  const of = { userName: 'alice', policyName: 'one' }
  const changes = logged([
    ['DeleteUserPolicy', of],
    ['PutUserPolicy', of],
  ])
  assert.deepEqual(judged(changes), [['DeleteUserPolicy'], ['PutUserPolicy']])
})

test('a managed policy, and versions of it that are not in force, are gone unless somebody has it', async (t) => {
  const free = arnOf('policy/ops/free')
  const gone = await after(t, ['DeletePolicy', { policyArn: free }])
  assert.equal(await gone.findManagedPolicy('ANPAFREE'), undefined)
  const store = await after(
    t,
    ['DeletePolicy', { policyArn: usedArn }],
    ['DeletePolicy', { policyArn: arnOf('policy/free') }],
    ['DeletePolicy', { policyArn: arnOf('policy/ops/free', otherAccountId) }],
    ['DeletePolicy', { policyArn: 'x' }],
    ['DeletePolicyVersion', { policyArn: free, versionId: 'v1' }],
    ['DeletePolicyVersion', { policyArn: free, versionId: 'v2' }],
    ['DeletePolicyVersion', { policyArn: usedArn, versionId: 'v9' }],
  )
  const versionsOf = async (id: string) =>
    (await store.findManagedPolicy(id))?.versions.map(({ versionId }) => versionId)
  assert.deepEqual(
    [await versionsOf('ANPAUSED'), await versionsOf('ANPAFREE')],
    [['v1', 'v2'], ['v2']],
  )
})

test('a group is gone, with its policies, and nobody is in it', async (t) => {
  const store = await after(
    t,
    ['RemoveUserFromGroup', { userName: 'alice', groupName: 'staff' }],
    ['DeleteGroup', { groupName: 'staff' }],
    ['DeleteGroup', { groupName: 'later' }],
  )
  assert.equal(await store.findGroup('AGPASTAFF'), undefined)
  assert.deepEqual((await store.findUser('AIDAALICE'))?.groups, [])
  assert.deepEqual((await store.findUser('AIDABOB'))?.groups, ['AGPAREST'])
  assert.equal((await store.findManagedPolicy('ANPAUSED'))?.attachments, 1)
})

test('an identity provider, or an audience of it, is gone', async (t) => {
  const of = { openIDConnectProviderArn: providerArn }
  const gone = await after(t, ['DeleteOpenIDConnectProvider', of])
  assert.equal(await gone.findOidcProvider(provider), undefined)
  const store = await after(
    t,
    [
      'DeleteOpenIDConnectProvider',
      { openIDConnectProviderArn: arnOf('oidc-provider/x.example.com') },
    ],
    ['AddClientIDToOpenIDConnectProvider', { ...of, clientID: 'c' }],
    ['RemoveClientIDFromOpenIDConnectProvider', { ...of, clientID: 'a' }],
    ['RemoveClientIDFromOpenIDConnectProvider', { ...of, clientID: 'c' }],
  )
  assert.deepEqual((await store.findOidcProvider(provider))?.clientIds, ['b'])
})

test('what is attached under the name of something that was deleted undoes nothing', () => {
  const policy = { userName: 'alice', policyArn: usedArn }
  const renewed = logged([
    ['DetachUserPolicy', policy],
    ['DeletePolicy', { policyArn: usedArn }],
    ['CreatePolicy'],
    ['AttachUserPolicy', policy],
  ])
  assert.deepEqual(judged(renewed), [['DetachUserPolicy', 'DeletePolicy'], ['AttachUserPolicy']])
  const group = { userName: 'alice', groupName: 'staff' }
  const again = logged([
    ['RemoveUserFromGroup', group],
    ['DeleteGroup', { groupName: 'staff' }],
    ['CreateGroup'],
    ['AddUserToGroup', group],
  ])
  assert.deepEqual(judged(again), [['RemoveUserFromGroup', 'DeleteGroup'], ['AddUserToGroup']])
})

test('a role that the service makes for itself takes nothing away', () => {
  assert.deepEqual(judged(logged([['CreateServiceLinkedRole']])), [[], []])
})

test('of two lost changes with one number, both are taken away again', async (t) => {
  const store = await filled(t)
  const names = ['alias/one', 'alias/two']
  await store.change(async (transaction) => {
    await transaction.insertKey(newKey('k1'))
    for (const name of names) await transaction.insertAlias(newAlias(name, 'k1'))
  })
  const events = names.map((aliasName): Event => ['DeleteAlias', { aliasName }])
  await takeAll(store, logged(events, { change: 100 }))
  for (const name of names)
    assert.equal(await store.findAlias({ accountId, region, name }), undefined)
})
