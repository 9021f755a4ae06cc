import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputRefused, alter, call, createWorld, makeKey, rowOf } from './memory-dependencies.ts'

const Tags = ['a', 'b', 'c'].map((TagKey) => ({ TagKey, TagValue: '' }))

test('UntagResource takes the tags that are there and passes over the others', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags })
  await call(world, 'UntagResource', { KeyId, TagKeys: ['c', 'absent', 'a'] })
  assert.deepEqual(
    rowOf(world, KeyId).tags.map(({ TagKey }) => TagKey),
    ['b'],
  )
})

test('UntagResource of tags that are not there changes nothing', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags })
  await call(world, 'UntagResource', { KeyId, TagKeys: ['A'] })
  assert.equal(world.commits, 1)
})

test('UntagResource refuses an empty key, and a key that is to be deleted', async () => {
  const world = createWorld()
  const key = await makeKey(world, { Tags })
  await assert.rejects(
    call(world, 'UntagResource', { KeyId: key.keyId, TagKeys: [''] }),
    InputRefused,
  )
  alter(world, key, { state: 'PendingDeletion' })
  await assert.rejects(call(world, 'UntagResource', { KeyId: key.keyId, TagKeys: ['a'] }), {
    code: 'KMSInvalidStateException',
  })
})
