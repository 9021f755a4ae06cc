import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyState } from '../../../src/model/key-state.ts'
import { alter, call, createWorld, makeKey } from './memory-dependencies.ts'

const Policy = '{\n  "Version" : "2012-10-17",\t"Id":"é" }'

test('GetKeyPolicy gives the policy back as it was written, in every state', async () => {
  const world = createWorld()
  const key = await makeKey(world, { Policy })
  for (const state of anyState) {
    alter(world, key, { state })
    for (const PolicyName of [undefined, 'default']) {
      const answer = await call(world, 'GetKeyPolicy', { KeyId: key.keyId, PolicyName })
      assert.deepEqual(answer, { Policy, PolicyName: 'default' })
    }
  }
})

test('GetKeyPolicy by another name is a NotFoundException', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  await assert.rejects(call(world, 'GetKeyPolicy', { KeyId, PolicyName: 'other' }), {
    code: 'NotFoundException',
    message: 'No such policy exists',
  })
})
