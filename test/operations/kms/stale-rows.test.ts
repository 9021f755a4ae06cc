/** If a row changed after the decision, the call decides again and never overwrites the change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StaleRow } from '../../../src/store/store.ts'
import { alter, call, createWorld, makeKey, rowOf } from './memory-dependencies.ts'

const changes: readonly [name: string, given: object][] = [
  ['EnableKey', {}],
  ['DisableKey', {}],
  ['UpdateKeyDescription', { Description: 'another' }],
  ['ScheduleKeyDeletion', {}],
  ['CancelKeyDeletion', {}],
  ['PutKeyPolicy', { Policy: '{}' }],
  ['TagResource', { Tags: [{ TagKey: 'b', TagValue: '' }] }],
  ['UntagResource', { TagKeys: ['a'] }],
]
const stateBefore: Readonly<Record<string, 'Disabled' | 'PendingDeletion'>> = {
  EnableKey: 'Disabled',
  CancelKeyDeletion: 'PendingDeletion',
}

for (const [name, given] of changes) {
  test(`${name} does not write over a change that came between`, async () => {
    const world = createWorld()
    const key = await makeKey(world, { Tags: [{ TagKey: 'a', TagValue: '' }] })
    alter(world, key, { state: stateBefore[name] ?? 'Enabled' })
    world.beforeCommit = () => {
      alter(world, key, { description: 'came between', rowVersion: key.rowVersion + 1 })
    }
    await assert.rejects(call(world, name, { KeyId: key.keyId, ...given }), StaleRow)
    const { description, rowVersion } = rowOf(world, key.keyId)
    assert.deepEqual([description, rowVersion], ['came between', key.rowVersion + 1])
    assert.equal(world.commits, 1)
  })
}

for (const name of ['CreateAlias', 'UpdateAlias']) {
  test(`${name} holds the key that the alias is to point to`, async () => {
    const world = createWorld()
    const one = await makeKey(world)
    const other = await makeKey(world)
    await call(world, 'CreateAlias', { AliasName: 'alias/there', TargetKeyId: one.keyId })
    world.beforeCommit = () => {
      alter(world, other, { state: 'PendingDeletion', rowVersion: other.rowVersion + 1 })
    }
    const AliasName = name === 'CreateAlias' ? 'alias/next' : 'alias/there'
    await assert.rejects(call(world, name, { AliasName, TargetKeyId: other.keyId }), StaleRow)
    assert.deepEqual(
      world.rows.aliases.map((alias) => [alias.name, alias.targetKeyId]),
      [['alias/there', one.keyId]],
    )
  })
}

for (const name of ['UpdateAlias', 'DeleteAlias']) {
  test(`${name} does not write over another change of the alias`, async () => {
    const world = createWorld()
    const one = await makeKey(world)
    const other = await makeKey(world)
    await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId })
    world.beforeCommit = () => {
      world.rows.aliases = world.rows.aliases.map((alias) => ({ ...alias, rowVersion: 2 }))
    }
    const given = { AliasName: 'alias/a', TargetKeyId: other.keyId }
    await assert.rejects(call(world, name, given), StaleRow)
    assert.equal(world.rows.aliases[0]?.targetKeyId, one.keyId)
  })
}
