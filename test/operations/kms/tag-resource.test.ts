import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tagResource } from '../../../src/operations/kms/tag-resource.ts'
import { InputRefused, alter, call, createWorld, makeKey, rowOf } from './memory-dependencies.ts'

const tag = (TagKey: string, TagValue = '') => ({ TagKey, TagValue })
const numbered = (count: number, prefix = '') =>
  Array.from({ length: count }, (_, index) => tag(`${prefix}${index}`))

test('TagResource overwrites in place and adds at the end', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags: [tag('b', '1'), tag('a', '2')] })
  await call(world, 'TagResource', { KeyId, Tags: [tag('c', '3'), tag('b', '4')] })
  assert.deepEqual(rowOf(world, KeyId).tags, [tag('b', '4'), tag('a', '2'), tag('c', '3')])
})

test('TagResource with tags that are there changes nothing', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags: [tag('a', '1')] })
  await call(world, 'TagResource', { KeyId, Tags: [tag('a', '1')] })
  assert.equal(world.commits, 1)
})

test('a key has fifty tags, and not one more', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags: numbered(49) })
  await assert.rejects(call(world, 'TagResource', { KeyId, Tags: numbered(2, 'x') }), {
    code: 'TagException',
    message: 'Too many tags',
  })
  await call(world, 'TagResource', { KeyId, Tags: numbered(1, 'x') })
  assert.equal(rowOf(world, KeyId).tags.length, 50)
  await call(world, 'TagResource', { KeyId, Tags: [tag('0', 'another value')] })
})

for (const [Tags, message] of [
  [[tag('a'), tag('a')], 'Duplicate tag keys'],
  [numbered(51), 'Too many tags'],
  [[tag('aws:a')], 'Tags beginning with aws: are reserved'],
  [[tag('Aws:a')], 'Tags beginning with aws: are reserved'],
] as const) {
  test(`TagResource of ${Tags.length} such tags: ${message}`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeKey(world)
    await assert.rejects(call(world, 'TagResource', { KeyId, Tags }), {
      code: 'TagException',
      message,
    })
    assert.deepEqual(rowOf(world, KeyId).tags, [])
  })
}

test('TagResource says which tag is too long', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world)
  const Tags = [tag('a'.repeat(129)), tag('b', 'c'.repeat(257))]
  await assert.rejects(call(world, 'TagResource', { KeyId, Tags }), (error) => {
    assert(error instanceof InputRefused)
    const paths = error.failures.map((failure) => (failure as { path: string }).path)
    assert.deepEqual(paths, ['tags.1.member.tagKey', 'tags.2.member.tagValue'])
    return true
  })
})

test('TagResource works on a disabled key and not on one that is to be deleted', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Disabled' })
  await call(world, 'TagResource', { KeyId: key.keyId, Tags: [tag('a')] })
  alter(world, key, { state: 'PendingReplicaDeletion' })
  await assert.rejects(call(world, 'TagResource', { KeyId: key.keyId, Tags: [tag('b')] }), {
    code: 'KMSInvalidStateException',
  })
})

test('TagResource shows policies the tags of the request', () => {
  const input = { KeyId: 'a', Tags: [tag('team', 'red'), tag('__proto__', 'x')] }
  assert.deepEqual(tagResource.context?.(input, 'key', {}), {
    'aws:RequestTag/team': 'red',
    'aws:RequestTag/__proto__': 'x',
    'aws:TagKeys': ['team', '__proto__'],
  })
})
