/**
 * A server that dies in the narrow moments between a change's commit and the deletion of its outbox row:
 * the change has exactly one record after the next start, whichever moment it was.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { verifyJournal } from '../../src/audit/verify/verify.ts'
import { end, freePort, ready, run, serve, temporaryFolder } from '../start/serve-process.ts'
import { accountId, clientOf, region, settings } from './fixed-account.ts'
import { assertOneStory, readStoredAndRecorded } from './stored-and-recorded.ts'
import type { Moment } from './stopping-server.ts'

const script = join(import.meta.dirname, 'stopping-server.ts')
const acknowledgedBefore = 2

/** The moments, and whether a reader finds the record then: in the page cache, or on disk. */
const moments = [
  ['before write', false],
  ['half written', false],
  ['before sync', true],
  ['after sync', true],
] as const

for (const [moment, recorded] of moments) {
  test(`a change that committed has one record when the server dies ${moment}`, async (t) => {
    const folder = temporaryFolder(t)
    await dieWhileCreatingKeys(t, folder, moment)
    const left = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
    assert.equal(left.keys.length, acknowledgedBefore + 1, 'the change has committed')
    assert.ok(left.outboxRows > 0, 'its row is still there')
    assert.equal(keysMade(left), acknowledgedBefore + (recorded ? 1 : 0))
    await startAndStop(t, folder)
    await assertWhole(folder, acknowledgedBefore + 1)
  })
}

for (const [moment, recorded] of moments) {
  test(`a start that dies ${moment} of what it drains leaves one record in the end`, async (t) => {
    const folder = temporaryFolder(t)
    await dieWhileCreatingKeys(t, folder, 'before write')
    // Before it go the head of the new segment, and the checkpoints of the start.
    const dying = stopping(t, folder, moment, 3, 'start')
    assert.deepEqual(await dying.ended, { code: null, signal: 'SIGKILL' })
    const left = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
    assert.ok(left.outboxRows > 0, 'the row is still there')
    assert.equal(keysMade(left), acknowledgedBefore + (recorded ? 1 : 0))
    await startAndStop(t, folder)
    await assertWhole(folder, acknowledgedBefore + 1)
  })
}

async function dieWhileCreatingKeys(t: TestContext, folder: string, moment: Moment): Promise<void> {
  const server = await ready(stopping(t, folder, moment, acknowledgedBefore + 1, 'ready'))
  const client = clientOf(server)
  for (let made = 0; made < acknowledgedBefore; made += 1) await createKey(client)
  await assert.rejects(createKey(client))
  client.destroy()
  assert.deepEqual(await server.ended, { code: null, signal: 'SIGKILL' })
}

function stopping(
  t: TestContext,
  folder: string,
  moment: Moment,
  batch: number,
  since: 'start' | 'ready',
): ReturnType<typeof run> {
  const command = [process.execPath, script, moment, String(batch), since] as const
  return run(t, [...command], { ...freePort(folder), ...settings }, folder)
}

async function createKey(client: KMSClient): Promise<void> {
  await client.send(new CreateKeyCommand({}))
}

async function startAndStop(t: TestContext, folder: string): Promise<void> {
  const server = await serve(t, folder, settings)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
}

async function assertWhole(folder: string, keys: number): Promise<void> {
  const found = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
  assert.equal(found.outboxRows, 0)
  assert.equal(found.keys.length, keys)
  assert.equal(keysMade(found), keys)
  assertOneStory(found)
  const { whole, breaks } = await verifyJournal(join(folder, 'data', 'journal'))
  assert.deepEqual({ whole, breaks }, { whole: true, breaks: [] })
}

function keysMade({ records }: Awaited<ReturnType<typeof readStoredAndRecorded>>): number {
  return records.filter(({ eventName }) => eventName === 'CreateKey').length
}
