/**
 * A server with several workers that is killed while all of them are at work, and started again with more
 * workers and with fewer. Nothing that it has answered is lost, every answered call has its record, and every
 * change exactly one, in one of the streams.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { KMSClient } from '@aws-sdk/client-kms'
import { proveJournal } from '../../src/audit/verify/prove-journal.ts'
import { end, serve, temporaryFolder, trentEnded } from '../start/serve-process.ts'
import { region, settings } from './fixed-account.ts'
import { callUntilDead, emptyMemory, opens, type Memory } from './load.ts'
import { seeded } from './seeded.ts'
import { assertOneStory, readStoredAndRecorded } from './stored-and-recorded.ts'
import { accountId } from './fixed-account.ts'

const seed = Number(process.env['TRENT_CRASH_SEED'] ?? randomInt(2 ** 32 - 1))
const callers = 8

test('after SIGKILL under load, with two workers and then three, nothing acknowledged is lost', async (t) => {
  t.diagnostic(`TRENT_CRASH_SEED=${seed}`)
  const folder = temporaryFolder(t)
  const memory = emptyMemory()
  const journal = join(folder, 'data', 'journal')
  for (const [round, workers] of [2, 3, 3, 2].entries()) {
    await workUntilKilled(t, folder, { round, workers }, memory)
  }
  const server = await serve(t, folder, { ...settings, TRENT_WORKERS: '1' })
  const client = clientOf(server.url)
  for (const each of memory.sealed.slice(-40)) {
    await opens(each, client, memory)
  }
  client.destroy()
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  assert.equal(server.stderr(), '')
  assert.deepEqual(memory.failures, [])
  const found = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
  assert.equal(found.outboxRows, 0)
  assertOneStory(found)
  const told = new Map<string | undefined, string[]>()
  for (const { requestID, eventName, errorCode = '' } of found.records) {
    told.set(requestID, [...(told.get(requestID) ?? []), `${eventName} ${errorCode}`])
  }
  for (const { requestId, operation, errorName = '' } of memory.calls) {
    assert.deepEqual(told.get(requestId), [`${operation} ${errorName}`], requestId)
  }
  // The streams of workers that there are no more are ended, and all of them is proved.
  const { whole, breaks, unanchored, anchors } = await proveJournal(journal)
  assert.deepEqual({ whole, breaks, unanchored }, { whole: true, breaks: [], unanchored: 0 })
  const streams = anchors.map(({ stream, proved }) => `${stream}: ${proved > 0}`)
  assert.deepEqual(streams, ['worker-0: true', 'worker-1: true', 'worker-2: true'])
  const verified = await trentEnded(t, ['verify-log', journal], {}, folder)
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  t.diagnostic(`${memory.calls.length} calls answered, ${memory.keyIds.length} keys`)
})

/** Serves callers at once, and dies at a moment that nobody chose. */
async function workUntilKilled(
  t: TestContext,
  folder: string,
  { round, workers }: { readonly round: number; readonly workers: number },
  memory: Memory,
): Promise<void> {
  const server = await serve(t, folder, { ...settings, TRENT_WORKERS: String(workers) })
  let answersLeft = 300 + seeded(seed + round).below(300)
  let killed: Promise<unknown> | undefined
  const onAnswer = (): void => {
    answersLeft -= 1
    if (answersLeft <= 0) killed ??= end(server, 'SIGKILL')
  }
  await Promise.all(
    Array.from({ length: callers }, async (_, index) => {
      // Of one caller all calls come to one worker: its records are in their order in one stream.
      const client = clientOf(server.url)
      const choices = seeded(seed + round * callers + index + 1)
      await callUntilDead(client, `r${round}-c${index}`, choices, memory, onAnswer)
      client.destroy()
    }),
  )
  await killed
  assert.deepEqual(await server.ended, { code: null, signal: 'SIGKILL' })
  assert.equal(server.stderr(), '')
  assert.deepEqual(memory.failures, [])
}

function clientOf(endpoint: string): KMSClient {
  return new KMSClient({
    region,
    endpoint,
    maxAttempts: 1,
    requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: 1 }) },
    credentials: {
      accessKeyId: settings.TRENT_ROOT_ACCESS_KEY_ID,
      secretAccessKey: settings.TRENT_ROOT_SECRET_ACCESS_KEY,
    },
  })
}
