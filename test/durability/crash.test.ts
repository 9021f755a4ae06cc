/**
 * A server that is killed at random while it is at work, over and over, on the same data. Nothing that it
 * has answered is lost, every answered call has its record, and every change exactly one.
 *
 * TRENT_CRASH_ROUNDS and TRENT_CRASH_SEED set how many rounds, and which choices.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type KMSClient, paginateListAliases, paginateListKeys } from '@aws-sdk/client-kms'
import { verifyJournal } from '../../src/audit/verify/verify.ts'
import { end, freePort, serve, temporaryFolder, trent, trentEnded } from '../start/serve-process.ts'
import { assertClean } from './clean-log.ts'
import { accountId, clientOf, region, settings } from './fixed-account.ts'
import { callUntilDead, emptyMemory, opens, type Memory } from './load.ts'
import { seeded, type Seeded } from './seeded.ts'
import {
  assertOneStory,
  readStoredAndRecorded,
  type StoredAndRecorded,
} from './stored-and-recorded.ts'

const rounds = Number(process.env['TRENT_CRASH_ROUNDS'] ?? 12)
const seed = Number(process.env['TRENT_CRASH_SEED'] ?? randomInt(2 ** 32 - 1))
const callers = 6

test('after SIGKILL at random, over and over, nothing acknowledged is lost', async (t) => {
  t.diagnostic(`TRENT_CRASH_SEED=${seed}`)
  const folder = temporaryFolder(t)
  const random = seeded(seed)
  const memory = emptyMemory()
  for (let round = 0; round < rounds; round += 1) {
    await workUntilKilled(t, folder, round, random, memory)
    if (random.below(3) === 0) await killWhileStarting(t, folder, random)
    // What is looked at holds everything since the first round: a round that is left out is not missed.
    if (round < rounds - 1 && random.below(2) === 0) continue
    assertNothingLost(await startedAndStopped(t, folder, random), memory)
  }
  const { calls, keyIds, sealed } = memory
  t.diagnostic(
    `${calls.length} calls answered, ${keyIds.length} keys, ${sealed.length} ciphertexts`,
  )
  const server = await serve(t, folder, settings)
  const client = clientOf(server)
  await assertServed(client, memory, sealed)
  client.destroy()
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  const verified = await trentEnded(t, ['verify-log', join(folder, 'data', 'journal')], {}, folder)
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
})

/** Serves callers at once, and dies at a moment that nobody chose. */
async function workUntilKilled(
  t: TestContext,
  folder: string,
  round: number,
  random: Seeded,
  memory: Memory,
): Promise<void> {
  const server = await serve(t, folder, settings)
  assertClean(server)
  const client = clientOf(server)
  await assertServed(client, memory, memory.sealed.slice(-20))
  let answersLeft = 1 + random.below(400)
  const killDelayMs = random.below(10)
  let killed: Promise<unknown> | undefined
  const onAnswer = (): void => {
    answersLeft -= 1
    if (answersLeft <= 0) killed ??= delay(killDelayMs).then(() => end(server, 'SIGKILL'))
  }
  await Promise.all(
    Array.from({ length: callers }, (_, index) => {
      const choices = seeded(seed + round * callers + index + 1)
      return callUntilDead(client, `r${round}-c${index}`, choices, memory, onAnswer)
    }),
  )
  client.destroy()
  await killed
  assert.deepEqual(await server.ended, { code: null, signal: 'SIGKILL' })
  assertClean(server)
  assert.deepEqual(memory.failures, [])
}

async function killWhileStarting(t: TestContext, folder: string, random: Seeded): Promise<void> {
  const starting = trent(t, ['serve'], { ...freePort(folder), ...settings }, folder)
  await delay(50 + random.below(350))
  await end(starting, 'SIGKILL')
  assertClean(starting)
}

/** A start that serves nobody: what it leaves is what starting makes of what the crash has left. */
async function startedAndStopped(
  t: TestContext,
  folder: string,
  random: Seeded,
): Promise<StoredAndRecorded> {
  const server = await serve(t, folder, settings)
  if (random.below(2) === 0) await end(server, 'SIGKILL')
  else assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  assertClean(server)
  const data = join(folder, 'data')
  const { breaks, whole } = await verifyJournal(join(data, 'journal'))
  assert.deepEqual({ breaks, whole }, { breaks: [], whole: true })
  const found = await readStoredAndRecorded(data, accountId, region)
  assert.equal(found.outboxRows, 0, 'the start has emptied the outbox')
  return found
}

function assertNothingLost(found: StoredAndRecorded, memory: Memory): void {
  assertOneStory(found)
  const stored = new Set(found.keys.map(({ keyId }) => keyId))
  assert.deepEqual(
    memory.keyIds.filter((keyId) => !stored.has(keyId)),
    [],
  )
  const told = new Map<string | undefined, string[]>()
  for (const { requestID, eventName, errorCode = '' } of found.records) {
    told.set(requestID, [...(told.get(requestID) ?? []), `${eventName} ${errorCode}`])
  }
  for (const { requestId, operation, errorName = '' } of memory.calls) {
    assert.deepEqual(told.get(requestId), [`${operation} ${errorName}`], requestId)
  }
}

/** Over the wire: every key and alias that is stored is listed, and ciphertexts open. */
async function assertServed(
  client: KMSClient,
  memory: Memory,
  sealed: Memory['sealed'],
): Promise<void> {
  const listed = new Set<string | undefined>()
  for await (const page of paginateListKeys({ client, pageSize: 1000 }, {})) {
    for (const { KeyId } of page.Keys ?? []) listed.add(KeyId)
  }
  assert.deepEqual(
    memory.keyIds.filter((keyId) => !listed.has(keyId)),
    [],
  )
  for await (const page of paginateListAliases({ client, pageSize: 100 }, {})) {
    for (const { TargetKeyId } of page.Aliases ?? []) {
      assert.ok(TargetKeyId === undefined || listed.has(TargetKeyId))
    }
  }
  for (const each of sealed) {
    await opens(each, client, memory)
  }
  assert.deepEqual(memory.failures, [])
}
