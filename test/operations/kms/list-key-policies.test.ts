import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputRefused, call, createWorld, makeKey } from './memory-dependencies.ts'

test('ListKeyPolicies answers the one name, whatever the limit and the marker', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  for (const given of [{}, { Limit: 1 }, { Marker: 'anything' }]) {
    assert.deepEqual(await call(world, 'ListKeyPolicies', { KeyId, ...given }), {
      PolicyNames: ['default'],
      Truncated: false,
    })
  }
})

test('ListKeyPolicies refuses an alias and a limit of 1001', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await assert.rejects(call(world, 'ListKeyPolicies', { KeyId: 'alias/a' }), {
    code: 'InvalidArnException',
  })
  await assert.rejects(call(world, 'ListKeyPolicies', { KeyId, Limit: 1001 }), InputRefused)
})
