import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  InputRefused,
  accountId,
  call,
  createWorld,
  makeKey,
  region,
} from './memory-dependencies.ts'

test('ListKeys answers every key once, page by page, with a marker while there are more', async () => {
  const world = createWorld()
  const made = []
  for (let count = 0; count < 5; count += 1) made.push((await makeKey(world)).keyId)
  const listed: unknown[] = []
  let Marker: unknown
  const sizes: number[] = []
  do {
    const page = await call(world, 'ListKeys', { Limit: 2, Marker })
    const keys = page['Keys'] as { KeyId: string; KeyArn: string }[]
    for (const { KeyId, KeyArn } of keys) {
      assert.equal(KeyArn, `arn:aws:kms:${region}:${accountId}:key/${KeyId}`)
      listed.push(KeyId)
    }
    sizes.push(keys.length)
    Marker = page['NextMarker']
    assert.equal(page['Truncated'], Marker !== undefined)
  } while (Marker !== undefined)
  assert.deepEqual(sizes, [2, 2, 1])
  assert.deepEqual(listed, made)
})

test('ListKeys has no marker after a last page that is full', async () => {
  const world = createWorld()
  await makeKey(world)
  await makeKey(world)
  const page = await call(world, 'ListKeys', { Limit: 2 })
  assert.equal(page['Truncated'], false)
  assert(!Object.hasOwn(page, 'NextMarker'))
})

test('ListKeys gives a hundred keys where no limit is asked for', async () => {
  const world = createWorld()
  for (let count = 0; count < 101; count += 1) await makeKey(world)
  const page = await call(world, 'ListKeys')
  assert.equal((page['Keys'] as unknown[]).length, 100)
  assert.equal(page['Truncated'], true)
})

test('ListKeys refuses the marker of another list', async () => {
  const world = createWorld()
  for (let count = 0; count < 2; count += 1) {
    const { keyId } = await makeKey(world)
    await call(world, 'CreateAlias', { AliasName: `alias/${count}`, TargetKeyId: keyId })
  }
  const { NextMarker } = await call(world, 'ListAliases', { Limit: 1 })
  assert(NextMarker !== undefined)
  await assert.rejects(call(world, 'ListKeys', { Marker: NextMarker }), {
    code: 'InvalidMarkerException',
    message: '',
  })
})

test('ListKeys refuses a limit of 0 and one of 1001', async () => {
  for (const Limit of [0, 1001]) {
    await assert.rejects(call(createWorld(), 'ListKeys', { Limit }), InputRefused)
  }
})
