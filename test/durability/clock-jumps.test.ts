/**
 * The system's clock is set, forth and back, under a server at work: nothing that was answered lacks its
 * record, and nothing that cannot be undone is done until somebody vouches for the clock.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { startTestServer } from '../harness.ts'
import { emptyMemory, remembered, type Memory } from './load.ts'
import { assertToldOnce } from './told-once.ts'

const hour = 3_600_000
const day = 24 * hour

/** Changes and uses at once, signed by the server's time. */
async function callAll(client: KMSClient, KeyId: string, memory: Memory): Promise<void> {
  const callers = Array.from({ length: 4 }, async () => {
    await remembered('CreateKey', client.send(new CreateKeyCommand({})), memory)
    for (let n = 0; n < 5; n += 1) {
      const use = new EncryptCommand({ KeyId, Plaintext: Buffer.from('secret') })
      await remembered('Encrypt', client.send(use), memory)
    }
  })
  await Promise.all(callers)
}

test('a clock that leaps under load costs no record, and destroys no key', async (t) => {
  let offset = 0
  const time = { system: () => Date.now() + offset, monotonic: () => performance.now() }
  const directory = await mkdtemp(join(tmpdir(), 'trent-jumps-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const server = await startTestServer({ TRENT_AUDIT_SEGMENT_SECONDS: '60' }, { directory, time })
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= server.stop('keep'))
  t.after(stop)
  const memory = emptyMemory()
  const client = server.client()
  // The client would learn the time of an answer's Date, which is that of the machine.
  Object.defineProperty(client.config, 'systemClockOffset', { get: () => offset, set: () => {} })
  const make = async (): Promise<string> => {
    const made = await remembered('CreateKey', client.send(new CreateKeyCommand({})), memory)
    return made?.KeyMetadata?.KeyId ?? assert.fail('no key was made')
  }
  const [KeyId, dying] = [await make(), await make()]
  const schedule = new ScheduleKeyDeletionCommand({ KeyId: dying, PendingWindowInDays: 7 })
  await client.send(schedule)
  for (const by of [2 * hour, -5 * hour, 40 * day, -day, 61_000, -39 * day]) {
    const during = callAll(client, KeyId, memory)
    await sleep(20)
    offset += by
    await during
    await callAll(client, KeyId, memory)
    // The jobs look once a second.
    await sleep(1200)
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: dying }))
    assert.equal(KeyMetadata?.KeyState, 'PendingDeletion', `after a leap by ${by / hour} hours`)
  }
  assert.deepEqual(memory.failures, [])
  // Those that were signed before a leap and looked at behind it leave no record.
  const stale = memory.calls.filter(({ errorName }) => errorName === 'InvalidSignatureException')
  assert.ok(memory.calls.every((each) => each.errorName === undefined || stale.includes(each)))
  const answered = memory.calls.filter((each) => !stale.includes(each))
  // Somebody vouches for it, 40 days later: what is due is done.
  offset += 40 * day
  await callOperator(directory, 'AcceptClock')
  await assert.rejects(client.send(new DescribeKeyCommand({ KeyId: dying })), {
    name: 'NotFoundException',
  })
  await callAll(client, KeyId, { ...memory, calls: answered })
  await stop()
  t.diagnostic(`${answered.length} calls answered, ${stale.length} too old`)
  await assertToldOnce(directory, { ...memory, calls: answered })
})
