import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRecord } from '../../../src/model/key.ts'
import { alter, call, createWorld, makeKey, start } from './memory-dependencies.ts'

test('UpdateAlias lets an alias point to another key', async () => {
  const world = createWorld()
  const one = await makeKey(world)
  const other = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId })
  world.now = start + 5000
  await call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other.keyId })
  const [alias] = world.rows.aliases
  assert.deepEqual(
    [alias?.targetKeyId, alias?.createdAt, alias?.updatedAt],
    [other.keyId, start, start + 5000],
  )
})

test('UpdateAlias to the key that it points to changes nothing', async () => {
  const world = createWorld()
  const { keyId: TargetKeyId } = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId })
  const commits = world.commits
  await call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId })
  assert.equal(world.commits, commits)
})

const others: readonly [Partial<KeyRecord>, string][] = [
  [
    { spec: 'RSA_2048', usage: 'SIGN_VERIFY' },
    'Alias alias/a cannot be changed from a CMK with key usage ENCRYPT_DECRYPT to a CMK with key usage SIGN_VERIFY. The key usage of the current CMK and the new CMK must be the same.',
  ],
  [
    { spec: 'RSA_2048' },
    'Alias alias/a cannot be changed from a CMK of type symmetric to a CMK of type asymmetric. The type of the current CMK and the new CMK must be the same.',
  ],
]

for (const [changes, message] of others) {
  test(`UpdateAlias refuses a key of ${JSON.stringify(changes)}`, async () => {
    const world = createWorld()
    const one = await makeKey(world)
    const other = alter(world, await makeKey(world), changes)
    await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId })
    await assert.rejects(
      call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other.keyId }),
      { code: 'ValidationException', message },
    )
    assert.equal(world.rows.aliases[0]?.targetKeyId, one.keyId)
  })
}

test('UpdateAlias leaves a key that is to be deleted, and goes to none', async () => {
  const world = createWorld()
  const one = await makeKey(world)
  const other = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId })
  alter(world, one, { state: 'PendingDeletion' })
  await call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other.keyId })
  assert.equal(world.rows.aliases[0]?.targetKeyId, other.keyId)
  await assert.rejects(
    call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId }),
    { code: 'KMSInvalidStateException' },
  )
})

test('UpdateAlias refuses a key that has fifty aliases', async () => {
  const world = createWorld()
  const one = await makeKey(world)
  const full = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId })
  for (let count = 1; count <= 50; count += 1) {
    await call(world, 'CreateAlias', { AliasName: `alias/${count}`, TargetKeyId: full.keyId })
  }
  await assert.rejects(
    call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId: full.keyId }),
    { code: 'LimitExceededException' },
  )
  // An alias may be pointed at its present key again.
  await call(world, 'UpdateAlias', { AliasName: 'alias/1', TargetKeyId: full.keyId })
})

test("UpdateAlias refuses AWS's own aliases and an alias as target", async () => {
  const world = createWorld()
  const { keyId: TargetKeyId } = await makeKey(world)
  await assert.rejects(call(world, 'UpdateAlias', { AliasName: 'alias/aws/s3', TargetKeyId }), {
    code: 'NotAuthorizedException',
  })
  await assert.rejects(
    call(world, 'UpdateAlias', { AliasName: 'alias/a', TargetKeyId: 'alias/b' }),
    { code: 'ValidationException' },
  )
})
