import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, call, createWorld, makeKey } from './memory-dependencies.ts'

const GranteePrincipal = `arn:aws:iam::${accountId}:root`
const given = { GranteePrincipal, Operations: ['Encrypt'] }

test('RetireGrant takes away the grant of a token or of an id, and no other', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const [one, two, three] = [
    await call(world, 'CreateGrant', { KeyId, ...given }),
    await call(world, 'CreateGrant', { KeyId, ...given }),
    await call(world, 'CreateGrant', { KeyId, ...given }),
  ]
  const left = (): string[] => world.rows.grants.map(({ grantId }) => grantId)
  assert.deepEqual(await call(world, 'RetireGrant', { GrantToken: two['GrantToken'] }), {})
  assert.deepEqual(left(), [one['GrantId'], three['GrantId']])
  await call(world, 'RetireGrant', { KeyId, GrantId: three['GrantId'] })
  assert.deepEqual(left(), [one['GrantId']])
})

test('RetireGrant names its grant in one way', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const GrantId = 'a'.repeat(64)
  const GrantToken = 't'
  const message = 'either `GrantToken` or both `KeyId` and `GrantId` are needed'
  for (const input of [
    {},
    { KeyId },
    { GrantId },
    { GrantToken, KeyId },
    { GrantToken, KeyId, GrantId },
  ]) {
    const outcome = call(world, 'RetireGrant', input)
    await assert.rejects(outcome, { code: 'ValidationException', message })
  }
  await assert.rejects(call(world, 'RetireGrant', { KeyId, GrantId: 'A'.repeat(64) }), {
    code: 'InvalidGrantIdException',
  })
})

test('of two that retire one grant at once the later one decides again', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const { GrantToken } = await call(world, 'CreateGrant', { KeyId, ...given })
  world.beforeCommit = () => {
    world.rows.grants = []
  }
  await assert.rejects(call(world, 'RetireGrant', { GrantToken }), /stale/)
})
