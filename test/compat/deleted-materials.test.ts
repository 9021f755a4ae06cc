/** Imported material that was taken away, told by `trent status` until it comes again or its key goes. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ReplicateKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { startTestServer } from '../harness.ts'
import { asNew, importing } from './importing.ts'
import { advance } from './test-clock.ts'
import { trentOf } from './trent-command.ts'
import type { ServerStatus } from '../../src/operations/contract/server-controls.ts'

const dayMs = 86_400_000

test('status tells of deleted material of living keys what could still open it', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const { makeExternal, parameters, send, take } = importing(server.client())
  const told = async (): Promise<readonly unknown[]> => {
    const status = (await callOperator(server.directory, 'GetStatus')) as ServerStatus
    const { gone, shredded, openedBySeals } = status.deletedMaterials
    return [gone, shredded, ...openedBySeals.map((one) => Object.values(one).join(' '))]
  }
  const KeyId = await makeExternal()
  const material = randomBytes(32)
  await send(KeyId, material, await parameters(KeyId))
  assert.deepEqual(await told(), [0, 0])
  await take(KeyId)
  assert.deepEqual(await told(), [1, 0, '1 1'])
  // Its copies are those of a material that is there.
  await send(KeyId, material, await parameters(KeyId))
  assert.deepEqual(await told(), [0, 0])
  // One that was never rotated to, and one that expires.
  const more = randomBytes(32)
  const { KeyMaterialId } = await send(KeyId, more, await parameters(KeyId), asNew)
  await take(KeyId, KeyMaterialId)
  assert.deepEqual(await told(), [1, 0, '1 1'])
  const expiring = await makeExternal()
  const ValidTo = new Date(Date.now() + 30 * dayMs)
  await send(expiring, randomBytes(32), await parameters(expiring), { ValidTo })
  await advance(server.url, '31d')
  assert.deepEqual(await told(), [2, 0, '1 2'])
  assert.match(
    await trentOf({ server })('status'),
    /\ndeletedMaterials:\n {2}gone: 2\n {2}shredded: 0\n {2}openedBySeals:\n {4}0:\n {6}generation: 1\n {6}materials: 2\n/,
  )
  // With their keys they are the keys' to count.
  for (const id of [KeyId, expiring]) {
    const command = new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 })
    await server.client().send(command)
  }
  await advance(server.url, '8d')
  assert.deepEqual(await told(), [0, 0])
  const { deleted } = (await callOperator(server.directory, 'GetStatus')) as ServerStatus
  assert.deepEqual(deleted, { gone: 2, shredded: 0, openedBySeals: [{ generation: 1, keys: 2 }] })
})

test('material is deleted when the last Region that has it takes it away', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const here = importing(server.client())
  const there = importing(server.client({ region: 'eu-west-1' }))
  const gone = async (): Promise<number> =>
    ((await callOperator(server.directory, 'GetStatus')) as ServerStatus).deletedMaterials.gone
  const KeyId = await here.makeExternal({ MultiRegion: true })
  const material = randomBytes(32)
  await here.send(KeyId, material, await here.parameters(KeyId))
  await server.client().send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
  await advance(server.url, '3s')
  await there.send(KeyId, material, await there.parameters(KeyId))
  await here.take(KeyId)
  assert.equal(await gone(), 0)
  await there.take(KeyId)
  assert.equal(await gone(), 1)
})
