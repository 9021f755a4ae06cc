/**
 * A server that is killed while it applies a file: what the file says is all there afterwards, with one record of
 * it, or none of it is.
 *
 * TRENT_APPLY_ROUNDS and TRENT_CRASH_SEED set how many rounds, and which choices.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { paginateListAliases, paginateListKeys, type KMSClient } from '@aws-sdk/client-kms'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { askToApply } from '../../src/cli/apply.ts'
import { callOperator } from '../../src/operator/client.ts'
import { openDatabase } from '../../src/store/open.ts'
import { end, serve, temporaryFolder } from '../start/serve-process.ts'
import { assertCountsKept } from '../store/kept-counts.ts'
import { accountId, clientOf, settings } from './fixed-account.ts'
import { seeded } from './seeded.ts'

const rounds = Number(process.env['TRENT_APPLY_ROUNDS'] ?? 6)
const seed = Number(process.env['TRENT_CRASH_SEED'] ?? randomInt(2 ** 32 - 1))
const objects = 120

const keyId = (round: number, index: number): string =>
  `${String(round).padStart(8, '0')}-0000-4000-8000-${String(index).padStart(12, '0')}`

function fileOf(round: number): object {
  const indexes = Array.from({ length: objects }, (_, index) => index)
  return {
    accounts: [
      {
        accountId,
        users: indexes.map((index) => ({ name: `user-${round}-${index}`, tags: { a: 'b' } })),
        keys: indexes.map((index) => ({
          keyId: keyId(round, index),
          material: Buffer.alloc(32, index).toString('base64'),
          aliases: [`alias/${round}-${index}`],
          grants: [
            { name: 'g', granteePrincipal: `user/user-${round}-${index}`, operations: ['Decrypt'] },
          ],
        })),
      },
    ],
  }
}

test('a server that dies while it applies a file has applied all of it or nothing', async (t) => {
  t.diagnostic(`TRENT_CRASH_SEED=${seed}`)
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const path = join(folder, 'file.json')
  const random = seeded(seed)
  let took = 0
  const there = new Set<number>()
  for (let round = 0; round < rounds; round += 1) {
    const server = await serve(t, folder, settings)
    writeFileSync(path, JSON.stringify(fileOf(round)))
    const startedAt = performance.now()
    const applying = askToApply(path, {}, (operation, input) =>
      callOperator(data, operation, input),
    )
    const outcome = applying.then(
      () => 'applied' as const,
      () => 'failed' as const,
    )
    if (round > 0) {
      await Promise.race([delay(random.below(Math.ceil(took * 1.2))), outcome])
      await end(server, 'SIGKILL')
    }
    const applied = await outcome
    if (round === 0) {
      assert.equal(applied, 'applied')
      took = performance.now() - startedAt
      await end(server, 'SIGKILL')
    }
    const again = await serve(t, folder, settings)
    const client = clientOf(again)
    const found = await objectsOf(client, round)
    assert(found === 0 || found === objects * 2, `${found} of the keys and aliases are there`)
    if (applied === 'applied') assert.equal(found, objects * 2)
    if (found > 0) there.add(round)
    client.destroy()
    assert.deepEqual(await end(again, 'SIGTERM'), { code: 0, signal: null })
    const database = await openDatabase({ path: join(data, 'trent.db') })
    await assertCountsKept(database)
    await database.close()
  }
  t.diagnostic(`${there.size} of ${rounds} were applied; the first took ${Math.round(took)} ms`)
  const records: { readonly changeCount?: number }[] = []
  await readRecords(join(data, 'journal'), (text) => {
    const { eventName, responseElements } = JSON.parse(text) as {
      readonly eventName: string
      readonly responseElements: { readonly changeCount?: number } | null
    }
    if (eventName === 'Apply' && responseElements !== null) records.push(responseElements)
  })
  assert.deepEqual(
    records.map(({ changeCount }) => changeCount),
    [...there].map(() => objects * 4),
  )
})

/** How many keys and aliases of the round there are. */
async function objectsOf(client: KMSClient, round: number): Promise<number> {
  let count = 0
  for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
    count += Keys.filter(({ KeyId }) => KeyId?.startsWith(keyId(round, 0).slice(0, 8))).length
  }
  for await (const { Aliases = [] } of paginateListAliases({ client }, {})) {
    count += Aliases.filter(({ AliasName }) => AliasName?.startsWith(`alias/${round}-`)).length
  }
  return count
}
