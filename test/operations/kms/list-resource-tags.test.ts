import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputRefused, alter, call, createWorld, makeKey } from './memory-dependencies.ts'

const Tags = Array.from({ length: 50 }, (_, index) => ({
  TagKey: `${50 - index}`,
  TagValue: `${index}`,
}))

test('ListResourceTags answers all fifty tags at once, as they were added', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags })
  assert.deepEqual(await call(world, 'ListResourceTags', { KeyId }), { Tags, Truncated: false })
})

test('ListResourceTags answers every tag once, page by page', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeKey(world, { Tags })
  const listed: unknown[] = []
  let Marker: unknown
  do {
    const page = await call(world, 'ListResourceTags', { KeyId, Limit: 20, Marker })
    listed.push(...(page['Tags'] as unknown[]))
    Marker = page['NextMarker']
    assert.equal(page['Truncated'], Marker !== undefined)
  } while (Marker !== undefined)
  assert.deepEqual(listed, Tags)
})

test("ListResourceTags refuses another key's marker", async () => {
  const world = createWorld()
  const one = await makeKey(world, { Tags })
  const other = await makeKey(world, { Tags })
  const { NextMarker: Marker } = await call(world, 'ListResourceTags', {
    KeyId: one.keyId,
    Limit: 1,
  })
  await assert.rejects(call(world, 'ListResourceTags', { KeyId: other.keyId, Marker }), {
    code: 'InvalidMarkerException',
  })
})

test('ListResourceTags works on a key that is to be deleted, and takes a limit up to 50', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'PendingDeletion' })
  const given = { KeyId: key.keyId, Limit: 50 }
  assert.deepEqual(await call(world, 'ListResourceTags', given), { Tags: [], Truncated: false })
  await assert.rejects(call(world, 'ListResourceTags', { ...given, Limit: 51 }), InputRefused)
})
