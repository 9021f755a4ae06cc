/** Remembered uses of roles, and when they are saved. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRoleUses } from '../../src/lifecycle/last-role-use.ts'
import type { Caller } from '../../src/model/caller.ts'
import type { RoleUse } from '../../src/model/role.ts'

const use = (roleId: string, usedAt: number): RoleUse => ({ roleId, usedAt, region: 'us-west-2' })

const session = (roleId: string): Caller => ({
  kind: 'assumed-role',
  accountId: '111122223333',
  arn: 'arn:aws:sts::111122223333:assumed-role/ops/ci',
  uniqueId: `${roleId}:ci`,
})

function opened() {
  const rows = new Map<string, RoleUse>()
  const saves: (readonly RoleUse[])[] = []
  const errors: Error[] = []
  let failing = false
  const uses = createRoleUses({
    store: {
      findRoleUse: (roleId) => Promise.resolve(rows.get(roleId)),
      async saveRoleUses(saved) {
        saves.push(saved)
        if (failing) throw new Error('the store is away')
        for (const each of saved) rows.set(each.roleId, each)
      },
    },
    onError: (error) => errors.push(error),
    saveDelayMs: 2 ** 30,
  })
  const fail = (now: boolean): void => {
    failing = now
  }
  const note = (roleId: string, at: number): void => uses.note(session(roleId), 'us-west-2', at)
  return { uses, note, rows, saves, errors, fail }
}

test('the latest use of a role is known at once, and saved once by the end', async () => {
  const { uses, note, rows, saves } = opened()
  assert.equal(await uses.lastOf('a'), undefined)
  for (const at of [1, 3, 2]) note('a', at)
  note('b', 1)
  uses.note({ ...session('c'), kind: 'user' }, 'us-west-2', 1)
  assert.deepEqual(await uses.lastOf('a'), use('a', 3))
  assert.deepEqual(saves, [])
  await uses.close()
  assert.deepEqual(saves, [[use('a', 3), use('b', 1)]])
  assert.deepEqual([...rows.keys()], ['a', 'b'])
  assert.deepEqual(await uses.lastOf('a'), use('a', 3))
})

test('a later use in the store takes precedence over the one in memory', async () => {
  const { uses, note, rows } = opened()
  rows.set('a', use('a', 9))
  note('a', 5)
  assert.deepEqual(await uses.lastOf('a'), use('a', 9))
})

test('uses that could not be saved are kept, and the failure is logged', async () => {
  const { uses, note, errors, fail } = opened()
  note('a', 1)
  fail(true)
  await uses.close()
  assert.match(errors[0]?.message ?? '', /last uses of roles/)
  assert.deepEqual(await uses.lastOf('a'), use('a', 1))
})
