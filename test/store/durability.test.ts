/**
 * A process that is killed in the middle of writing: nothing that it acknowledged is lost.
 * @module
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { openDatabase } from '../../src/store/open.ts'
import { storeOf, temporaryFolder } from './engines.ts'
import { accountId, insertAccounts, region } from './records.ts'

const rounds = 6

test('after SIGKILL everything acknowledged is there, and nothing is half there', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  const first = await openDatabase({ path })
  await insertAccounts(storeOf(first).store)
  await first.close()
  const acknowledged: string[] = []
  for (let round = 0; round < rounds; round += 1) {
    const killAfter = randomInt(1, 60)
    t.diagnostic(`round ${round}: killed after ${killAfter} acknowledgements`)
    acknowledged.push(...(await writeUntilKilled(path, killAfter)))

    const database = await openDatabase({ path })
    const { store, forged } = storeOf(database)
    const keys = await store.listKeys(accountId, region, { limit: 10_000 })
    const ids = keys.map(({ keyId }) => keyId)
    assert.deepEqual(
      acknowledged.filter((id) => !ids.includes(id)),
      [],
    )
    const outbox = await store.listOutbox(10_000)
    assert.deepEqual(outbox.map(({ eventId }) => eventId).toSorted(), ids.toSorted())
    const changes = await store.changesSince(1)
    assert.deepEqual(changes?.map(({ id }) => id).toSorted(), ids.toSorted())
    assert.equal(store.epoch(), ids.length + 1)
    assert.deepEqual(forged, [])
    await database.close()
  }
})

/** The ids that the process acknowledged before it died. */
async function writeUntilKilled(path: string, killAfter: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'writing-process.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(writer, 'exit')
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged.push(line)
    if (acknowledged.length === killAfter) writer.kill('SIGKILL')
  }
  const [, signal] = await exited
  assert.equal(signal, 'SIGKILL')
  return acknowledged
}
