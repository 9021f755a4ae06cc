/**
 * A server that is killed at random while it serves, delivers and has its clock moved: what it answered is
 * delivered once, in files that agree with the journal, and the digests are one chain.
 *
 * TRENT_CRASH_ROUNDS and TRENT_CRASH_SEED set how many rounds, and which choices.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deliveredRecords } from '../audit/delivery/delivered.ts'
import { advance } from '../compat/test-clock.ts'
import { end, serve, temporaryFolder, trentEnded } from '../start/serve-process.ts'
import { clientOf, settings } from './fixed-account.ts'
import { callUntilDead, emptyMemory } from './load.ts'
import { seeded } from './seeded.ts'

const rounds = Number(process.env['TRENT_CRASH_ROUNDS'] ?? 5)
const seed = Number(process.env['TRENT_CRASH_SEED'] ?? randomInt(2 ** 32 - 1))

test('after SIGKILL under load, every answered call is delivered once', async (t) => {
  t.diagnostic(`TRENT_CRASH_SEED=${seed}`)
  const folder = temporaryFolder(t)
  const archive = join(folder, 'archive')
  await mkdir(archive)
  const all = { ...settings, TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive }
  const random = seeded(seed)
  const memory = emptyMemory()
  for (let round = 0; round < rounds; round += 1) {
    const server = await serve(t, folder, all)
    const client = clientOf(server)
    const loads = [0, 1, 2].map((index) =>
      callUntilDead(
        client,
        `r${round}-c${index}`,
        seeded(seed + round * 3 + index),
        memory,
        () => {},
      ),
    )
    await sleep(300 + random.below(500))
    // While files are made and delivered.
    const moved = advance(server.url, random.below(2) === 0 ? '6m' : '1h').catch(() => undefined)
    await sleep(random.below(400))
    await end(server, 'SIGKILL')
    await Promise.all([...loads, moved])
    client.destroy()
  }
  const server = await serve(t, folder, all)
  // Past whatever hour the clock of a killed process had come to.
  for (let hour = 0; hour < rounds + 3; hour += 1) await advance(server.url, '1h')
  const records = await deliveredRecords(archive)
  const found = new Set(records.map(({ requestID }) => requestID))
  assert.ok(memory.calls.length > 50)
  assert.deepEqual(
    memory.calls.filter(({ requestId }) => !found.has(requestId)),
    [],
  )
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
  t.diagnostic(`${memory.calls.length} calls answered, ${records.length} records delivered`)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  const journal = join(folder, 'data', 'journal')
  const verified = await trentEnded(t, ['verify-log', journal, '--delivered', archive], {}, folder)
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
})
