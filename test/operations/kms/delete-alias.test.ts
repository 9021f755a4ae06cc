import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyState } from '../../../src/model/key-state.ts'
import { deleteAlias } from '../../../src/operations/kms/delete-alias.ts'
import { alter, call, createWorld, makeKey } from './memory-dependencies.ts'

test('DeleteAlias takes the name and leaves the key, in every state of the key', async () => {
  for (const state of anyState) {
    const world = createWorld()
    const key = await makeKey(world)
    await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: key.keyId })
    await call(world, 'CreateAlias', { AliasName: 'alias/b', TargetKeyId: key.keyId })
    alter(world, key, { state })
    await call(world, 'DeleteAlias', { AliasName: 'alias/a' })
    assert.deepEqual(
      world.rows.aliases.map(({ name }) => name),
      ['alias/b'],
    )
    assert.equal(world.rows.keys.length, 1)
  }
})

for (const [AliasName, code] of [
  ['alias/aws/s3', 'NotAuthorizedException'],
  ['a', 'ValidationException'],
  ['alias/', 'InvalidAliasNameException'],
] as const) {
  test(`DeleteAlias of ${AliasName} is a ${code}`, async () => {
    await assert.rejects(call(createWorld(), 'DeleteAlias', { AliasName }), { code })
  })
}

test('DeleteAlias asks for the alias and for its key', () => {
  assert.deepEqual(deleteAlias.alias, {
    from: 'AliasName',
    action: 'kms:DeleteAlias',
    target: 'key',
  })
  assert.equal(deleteAlias.keys.key.action, 'kms:DeleteAlias')
})
