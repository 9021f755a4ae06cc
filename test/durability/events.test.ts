/**
 * A server that is killed on the way from a deletion to the webhook's answer: whenever that was, the webhook
 * hears of the deletion, each time under the same id and with the same bytes; and of none that is not.
 *
 * TRENT_CRASH_ROUNDS and TRENT_CRASH_SEED set how many rounds, and which choices.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  ScheduleKeyDeletionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { advance } from '../compat/test-clock.ts'
import { assertSigned, startReceiver, type Receiver } from '../events/receiver.ts'
import { end, freePort, ready, run, serve, temporaryFolder } from '../start/serve-process.ts'
import { accountId, clientOf, region, settings } from './fixed-account.ts'
import { seeded } from './seeded.ts'
import { readStoredAndRecorded } from './stored-and-recorded.ts'

const rounds = Number(process.env['TRENT_CRASH_ROUNDS'] ?? 5)
const seed = Number(process.env['TRENT_CRASH_SEED'] ?? randomInt(2 ** 32 - 1))
const script = join(import.meta.dirname, 'stopping-server.ts')

const settingsFor = (receiver: Receiver) => ({
  ...settings,
  ...receiver.settings,
  TRENT_TEST_API: 'on',
})

async function dyingKey(client: KMSClient): Promise<string> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key was made')
  await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  return KeyId
}

/** By key, the bodies that were heard: one, however often it came. */
function deletionsHeard({ heard }: Receiver): ReadonlyMap<string, ReadonlySet<string>> {
  const bodies = new Map<string, Set<string>>()
  for (const each of heard) {
    assertSigned(each)
    assert.equal(each.told['detail-type'], 'KMS CMK Deletion')
    assert.equal(each.headers['webhook-id'], each.told.id)
    const keyId = String(each.told.detail['key-id'])
    bodies.set(keyId, (bodies.get(keyId) ?? new Set()).add(each.body))
  }
  return bodies
}

test('a deletion is told by the next process when the webhook never answered this one', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answer(() => undefined)
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, settingsFor(receiver))
  const client = clientOf(server)
  const KeyId = await dyingKey(client)
  client.destroy()
  await advance(server.url, '7d')
  await receiver.hears(1)
  await end(server, 'SIGKILL')
  receiver.answer(200)
  const next = await serve(t, folder, settingsFor(receiver))
  await receiver.takes(1)
  const [first, second] = receiver.heard
  assert.equal(second?.body, first?.body)
  assert.deepEqual([...deletionsHeard(receiver).keys()], [KeyId])
  assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })
})

test('a deletion comes again, under the same id, when the server dies before it hears the answer', async (t) => {
  const receiver = await startReceiver(t)
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, settingsFor(receiver))
  receiver.answer((response) => {
    receiver.answer(200)
    server.child.kill('SIGKILL')
    response.writeHead(200).end() // taken, and nobody is there to hear it
  })
  const client = clientOf(server)
  const KeyId = await dyingKey(client)
  client.destroy()
  await advance(server.url, '7d').catch(() => undefined)
  assert.deepEqual(await server.ended, { code: null, signal: 'SIGKILL' })
  const next = await serve(t, folder, settingsFor(receiver))
  await receiver.takes(1)
  await sleep(2500)
  assert.equal(receiver.heard.length, 2)
  assert.deepEqual(
    [...deletionsHeard(receiver)].map(([keyId, bodies]) => [keyId, bodies.size]),
    [[KeyId, 1]],
  )
  assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })
})

/** The records of the making, the scheduling and the deletion of a key, each a batch. */
const deletion = 3

for (const moment of ['before write', 'half written', 'before sync', 'after sync'] as const) {
  test(`a deletion is told when the server dies ${moment} of its record`, async (t) => {
    const receiver = await startReceiver(t)
    const folder = temporaryFolder(t)
    const all = settingsFor(receiver)
    const command = [process.execPath, script, moment, String(deletion), 'ready'] as const
    const dying = await ready(run(t, [...command], { ...freePort(folder), ...all }, folder))
    const client = clientOf(dying)
    const KeyId = await dyingKey(client)
    client.destroy()
    await assert.rejects(advance(dying.url, '7d'))
    assert.deepEqual(await dying.ended, { code: null, signal: 'SIGKILL' })
    const next = await serve(t, folder, all)
    await receiver.takes(1)
    assert.deepEqual(
      [...deletionsHeard(receiver)].map(([keyId, bodies]) => [keyId, bodies.size]),
      [[KeyId, 1]],
    )
    assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })
    const { keys, records } = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
    assert.deepEqual(keys, [])
    assert.equal(records.filter(({ eventName }) => eventName === 'DeleteKey').length, 1)
  })
}

test('after SIGKILL at random, every deletion was told, and nothing else', async (t) => {
  t.diagnostic(`TRENT_CRASH_SEED=${seed}`)
  const random = seeded(seed)
  const receiver = await startReceiver(t)
  const folder = temporaryFolder(t)
  const all = settingsFor(receiver)
  const made: string[] = []
  for (let round = 0; round < rounds; round += 1) {
    const server = await serve(t, folder, all)
    const client = clientOf(server)
    for (let n = 0; n < 8; n += 1) made.push(await dyingKey(client))
    // It takes some, refuses some and leaves some without an answer.
    receiver.answer((response) => {
      const choice = random.below(4)
      if (choice > 0) response.writeHead(choice === 1 ? 503 : 200).end()
    })
    const moved = advance(server.url, '7d').catch(() => undefined)
    await sleep(random.below(random.below(2) === 0 ? 60 : 2500))
    await end(server, 'SIGKILL')
    await moved
    client.destroy()
  }
  receiver.answer(200)
  const server = await serve(t, folder, all)
  const client = clientOf(server)
  const before = await Promise.all(made.map((keyId) => isGone(client, keyId)))
  await advance(server.url, '8d')
  for (let tries = 0; tries < 600; tries += 1) {
    if (deletionsHeard(receiver).size === made.length) break
    await sleep(100)
  }
  const told = deletionsHeard(receiver)
  assert.deepEqual([...told.keys()].toSorted(), made.toSorted())
  for (const [keyId, bodies] of told) assert.equal(bodies.size, 1, keyId)
  const waiting = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(waiting, /^trent_events_total\{outcome="dead"\} 0$/m)
  client.destroy()
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  const died = before.filter(Boolean).length
  t.diagnostic(`${died} of ${made.length} keys were deleted by processes that were killed`)
  t.diagnostic(`${receiver.heard.length} messages of ${told.size} deletions`)
})

async function isGone(client: KMSClient, KeyId: string): Promise<boolean> {
  const described = client.send(new DescribeKeyCommand({ KeyId }))
  return described.then(
    () => false,
    (error: unknown) => {
      assert.ok(error instanceof Error && error.name === 'NotFoundException', String(error))
      return true
    },
  )
}
