/** Users and groups are found by their names: what a restore makes of renames after the backup. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, otherAccountId } from '../store/records.ts'
import { judged, logged, type Event } from './logged.ts'

const policyArn = `arn:aws:iam::${accountId}:policy/p`
const renamed = (userName: string, newUserName: string): Event => [
  'UpdateUser',
  { userName, newUserName },
]
const renamedGroup = (groupName: string, newGroupName: string): Event => [
  'UpdateGroup',
  { groupName, newGroupName },
]
const member = (userName: string, groupName = 'admins') => ({ userName, groupName })
const sessionsOf = (resource: string, owner = accountId): Event => [
  'RevokeSessions',
  { principalArn: `arn:aws:iam::${owner}:${resource}` },
]

const after = (...events: readonly Event[]) => judged(logged(events))

/** What can be taken away from whoever has a name. */
const takesFrom = (userName: string): readonly Event[] => [
  ['RemoveUserFromGroup', member(userName)],
  ['DetachUserPolicy', { userName, policyArn }],
  ['DeleteUserPolicy', { userName, policyName: 'one' }],
  sessionsOf(`user/a/b/${userName}`),
  ['DeleteUser', { userName }],
]
const takesFromGroup = (groupName: string): readonly Event[] => [
  ['RemoveUserFromGroup', member('alice', groupName)],
  ['DetachGroupPolicy', { groupName, policyArn }],
  ['DeleteGroupPolicy', { groupName, policyName: 'one' }],
  ['DeleteGroup', { groupName }],
]

test('what was taken from somebody under a new name is named, and nobody else loses it', () => {
  for (const userName of ['alice', 'bob']) {
    for (const event of takesFrom(userName)) {
      assert.deepEqual(after(renamed('alice', 'bob'), event), [[], ['UpdateUser', event[0]]])
      assert.deepEqual(after(event, renamed('alice', 'bob')), [[event[0]], ['UpdateUser']])
    }
  }
  for (const groupName of ['admins', 'ops']) {
    for (const event of takesFromGroup(groupName)) {
      const [name] = event
      assert.deepEqual(after(renamedGroup('admins', 'ops'), event), [[], ['UpdateGroup', name]])
      assert.deepEqual(after(event, renamedGroup('admins', 'ops')), [[name], ['UpdateGroup']])
    }
  }
})

test('what somebody new gets under a former name undoes nothing', () => {
  const [removed, joined] = ['RemoveUserFromGroup', 'AddUserToGroup']
  assert.deepEqual(
    after(
      [removed, member('alice')],
      renamed('alice', 'bob'),
      ['CreateUser', { userName: 'alice' }],
      [joined, member('alice')],
    ),
    [[removed], ['UpdateUser', joined]],
  )
  assert.deepEqual(
    after(
      [removed, member('alice')],
      renamedGroup('admins', 'ops'),
      ['CreateGroup', { groupName: 'admins' }],
      [joined, member('alice')],
    ),
    [[removed], ['UpdateGroup', joined]],
  )
  assert.deepEqual(
    after(['DetachGroupPolicy', { groupName: 'ops', policyArn }], renamedGroup('admins', 'ops'), [
      'AttachGroupPolicy',
      { groupName: 'ops', policyArn },
    ]),
    [['DetachGroupPolicy'], ['UpdateGroup', 'AttachGroupPolicy']],
  )
})

test('a name that was given on and on, or exchanged, or taken back is nobody’s', () => {
  const chain = [renamed('alice', 'bob'), renamed('bob', 'carol')]
  const exchanged = [renamed('alice', 'x'), renamed('bob', 'alice'), renamed('x', 'bob')]
  const back = [renamed('alice', 'bob'), renamed('bob', 'alice')]
  for (const renames of [chain, exchanged, back]) {
    const told = renames.map(([name]) => name)
    for (const userName of ['alice', 'bob']) {
      const gone = after(...renames, ['DeleteUser', { userName }])
      assert.deepEqual(gone, [[], [...told, 'DeleteUser']])
    }
  }
  const last = after(...chain, ['DeleteUser', { userName: 'carol' }])
  assert.deepEqual(last, [[], ['UpdateUser', 'UpdateUser', 'DeleteUser']])
})

test('others, access keys, and a change of the path alone are as before', () => {
  const accessKeyId = 'AKIAABCDEFGHIJKLMNOP'
  const events: readonly Event[] = [
    ['DeleteUser', { userName: 'carol' }],
    ['RemoveUserFromGroup', member('carol', 'staff')],
    ['DeleteRole', { roleName: 'alice' }],
    ['DeleteGroup', { groupName: 'alice' }],
    sessionsOf('user/alice', otherAccountId),
    sessionsOf('role/alice'),
    ['DeleteAccessKey', { userName: 'bob', accessKeyId }],
    ['UpdateAccessKey', { userName: 'bob', accessKeyId, status: 'Inactive' }],
  ]
  const names = events.map(([name]) => name)
  assert.deepEqual(after(renamed('alice', 'bob'), ...events), [names, ['UpdateUser']])
  const active = ['UpdateAccessKey', { userName: 'bob', accessKeyId, status: 'Active' }] as const
  const undone = after(renamed('alice', 'bob'), ...events, active)
  assert.deepEqual(undone, [names.slice(0, -1), ['UpdateUser']])
  const moved: Event = ['UpdateUser', { userName: 'alice', newPath: '/x/' }]
  const gone: Event = ['DeleteUser', { userName: 'alice' }]
  assert.deepEqual(after(moved, gone), [['DeleteUser'], ['UpdateUser']])
})

test('somebody who was deleted is gone, whoever has the name now', () => {
  const of = member('alice')
  assert.deepEqual(
    after(
      ['RemoveUserFromGroup', of],
      ['DeleteUser', of],
      ['CreateUser', of],
      ['AddUserToGroup', of],
    ),
    [['DeleteUser'], []],
  )
  // Who was deleted by pruning is in no record.
  assert.deepEqual(
    after(
      ['RemoveUserFromGroup', of],
      ['Apply', { prune: true }],
      ['CreateUser', of],
      ['AddUserToGroup', of],
      ['DisableKey'],
      ['EnableKey'],
    ),
    [['RemoveUserFromGroup'], ['Apply', 'AddUserToGroup']],
  )
})

test('what was taken from a new group of a former name leaves what came before it in its place', () => {
  const of = { userName: 'alice', groupName: 'staff', policyArn }
  assert.deepEqual(
    after(
      ['DetachUserPolicy', of],
      ['DeletePolicy', { policyArn }],
      ['CreatePolicy'],
      ['AttachUserPolicy', of],
      ['DetachUserPolicy', of],
    ),
    [['DetachUserPolicy', 'DeletePolicy', 'DetachUserPolicy'], ['AttachUserPolicy']],
  )
})
