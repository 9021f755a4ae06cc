import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, call, createWorld, makeKey } from './memory-dependencies.ts'

const GranteePrincipal = `arn:aws:iam::${accountId}:root`
const given = { GranteePrincipal, Operations: ['Encrypt'] }

test('RevokeGrant takes away one grant of its key', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const { GrantId } = await call(world, 'CreateGrant', { KeyId, ...given })
  const kept = await call(world, 'CreateGrant', { KeyId, ...given })
  assert.deepEqual(await call(world, 'RevokeGrant', { KeyId, GrantId }), {})
  assert.deepEqual(
    world.rows.grants.map(({ grantId }) => grantId),
    [kept['GrantId']],
  )
})

test('RevokeGrant of a grant that is not there, or is of another key, is a NotFoundException', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const other = await makeKey(world)
  const { GrantId } = await call(world, 'CreateGrant', { KeyId, ...given })
  const elsewhere = call(world, 'RevokeGrant', { KeyId: other.keyId, GrantId })
  const message = `Grant '${String(GrantId)}' does not exist`
  await assert.rejects(elsewhere, { code: 'NotFoundException', message })
  await call(world, 'RevokeGrant', { KeyId, GrantId })
  const again = call(world, 'RevokeGrant', { KeyId, GrantId })
  await assert.rejects(again, { code: 'NotFoundException', message })
  assert.equal(world.commits, 4)
})

test('RevokeGrant refuses what is the id of no grant', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  for (const GrantId of ['x', 'A'.repeat(64), `${'a'.repeat(64)}0`]) {
    const outcome = call(world, 'RevokeGrant', { KeyId, GrantId })
    await assert.rejects(outcome, { code: 'InvalidGrantIdException' })
  }
})
