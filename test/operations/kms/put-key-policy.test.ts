import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { anyState } from '../../../src/model/key-state.ts'
import { putKeyPolicy } from '../../../src/operations/kms/put-key-policy.ts'
import { InputRefused, alter, call, createWorld, makeKey, rowOf } from './memory-dependencies.ts'

test('PutKeyPolicy stores the policy and whom it names, in every state', async () => {
  for (const state of anyState) {
    const world = createWorld()
    const key = alter(world, await makeKey(world), { state })
    const policyPrincipals = { 'arn:aws:iam::111122223333:user/a': 'AIDAEXAMPLE' }
    world.checkPolicy = async () => policyPrincipals
    await call(world, 'PutKeyPolicy', { KeyId: key.keyId, Policy: '{"a":1}' })
    const row = rowOf(world, key.keyId)
    assert.equal(row.policy, '{"a":1}')
    assert.deepEqual(row.policyPrincipals, policyPrincipals)
  }
})

test('PutKeyPolicy leaves the policy when the next one is refused', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const message = 'The new key policy will not allow you to update the key policy in the future.'
  world.checkPolicy = async () => {
    throw new KmsError('MalformedPolicyDocumentException', message)
  }
  await assert.rejects(call(world, 'PutKeyPolicy', { KeyId: key.keyId, Policy: '{}' }), {
    code: 'MalformedPolicyDocumentException',
    message,
  })
  assert.deepEqual(rowOf(world, key.keyId), key)
})

test('PutKeyPolicy under another name is a NotFoundException', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const given = { KeyId, Policy: '{}', PolicyName: 'other' }
  await assert.rejects(call(world, 'PutKeyPolicy', given), {
    code: 'NotFoundException',
    message: 'No such policy exists',
  })
})

test('PutKeyPolicy refuses a name and a policy out of their patterns', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const hyphen = { KeyId, Policy: '{}', PolicyName: 'invalid-name' }
  await assert.rejects(call(world, 'PutKeyPolicy', hyphen), (error) => {
    assert(error instanceof InputRefused)
    const constraint = { kind: 'pattern', pattern: '[\\w]+' }
    assert.deepEqual(error.failures, [{ path: 'policyName', value: 'invalid-name', constraint }])
    return true
  })
  for (const Policy of ['', 'π', '\0', 'x'.repeat(131_073)]) {
    await assert.rejects(call(world, 'PutKeyPolicy', { KeyId, Policy }), InputRefused)
  }
})

test('PutKeyPolicy shows policies whether the lockout check is bypassed', () => {
  const name = 'kms:BypassPolicyLockoutSafetyCheck'
  const input = { KeyId: 'a', Policy: '{}' }
  assert.deepEqual(putKeyPolicy.context?.(input, 'key', {}), { [name]: 'false' })
  const bypassed = { ...input, BypassPolicyLockoutSafetyCheck: true }
  assert.deepEqual(putKeyPolicy.context?.(bypassed, 'key', {}), { [name]: 'true' })
})
