/** Backups of a running database, on every engine. @module */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { createBackups } from '../../src/backup/backups.ts'
import { readBackup } from '../../src/backup/format.ts'
import { openBackup } from '../../src/backup/take.ts'
import { rowsOf, verifyRows } from '../../src/backup/verify.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { streamOf } from '../../src/model/node.ts'
import type { StoredRow } from '../../src/store/whole-tables.ts'
import { testKeyring } from '../crypto/fixed.ts'
import { engines } from '../store/engines.ts'
import { accountId, region } from '../store/records.ts'
import { keyring, prepared } from './prepared.ts'

async function keysIn(pieces: AsyncIterable<{ readonly bytes: Buffer }>): Promise<StoredRow[]> {
  const bytes = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of pieces) yield piece.bytes
  }
  const keys: StoredRow[] = []
  for await (const { table, rows } of rowsOf(await readBackup(bytes()), keyring)) {
    if (table.name === 'keys') keys.push(...rows)
  }
  return keys
}

for (const engine of engines) {
  test(`a backup is of one moment, while changes go on (${engine.name})`, async (t) => {
    const { database } = await engine.open(t)
    const { store, addKeys, source } = await prepared(database, 2500)
    const over = new AbortController()
    let made = 2500
    const changing = (async () => {
      while (!over.signal.aborted) {
        const present = await store.findKey({ accountId, region, keyId: 'key-000000' })
        assert.ok(present)
        await store.change(async (transaction) => {
          await transaction.updateKey(present, { description: `${made}` })
        })
        await addKeys(made, made + 1)
        made += 1
      }
    })()
    const { header, pieces } = await openBackup(source)
    const keys = await keysIn(pieces)
    over.abort()
    await changing
    const atLeast = 2500
    assert.ok(keys.length >= atLeast && keys.length < made + 1, `${keys.length} of ${made}`)
    // Change 1 made the account, change 2 the first keys; each later pair changes one and adds one.
    const pairs = keys.length - atLeast
    const isBetween = header.change === 2 + 2 * pairs + 1
    assert.ok(isBetween || header.change === 2 + 2 * pairs, `${header.change} with ${keys.length}`)
    const text = isBetween ? `${keys.length}` : pairs > 0 ? `${keys.length - 1}` : 'for the tests'
    assert.equal(
      keys.find((row) => row['key_id'] === 'key-000000')?.['description'],
      JSON.stringify(text),
    )
  })

  test(`parts of a backup are read in order, once (${engine.name})`, async (t) => {
    const { database } = await engine.open(t)
    const { source } = await prepared(database, 3000)
    const backups = createBackups(source)
    t.after(() => backups.close())
    const { id, header } = await backups.begin()
    await assert.rejects(backups.begin(), /another backup is being taken/)
    await assert.rejects(backups.read(id, 2), /this backup is over/)
    await assert.rejects(backups.read('another', 1), /this backup is over/)
    const parts: Buffer[] = []
    for (let part = 1; ; part += 1) {
      const { bytes, isLast } = await backups.read(id, part)
      assert.ok(bytes.length <= 2 ** 20)
      parts.push(bytes)
      if (isLast) break
    }
    assert.ok(parts.length > 1)
    await assert.rejects(backups.read(id, parts.length + 1), /this backup is over/)
    const reader = await readBackup(
      (async function* () {
        yield* parts
      })(),
    )
    const { rows, forgedCount } = await verifyRows(reader, keyring)
    assert.deepEqual([rows, forgedCount], [header.rows, 0])
    // The next one can begin.
    await backups.begin()
  })
}

test('a backup is under a key that it holds, whatever the keyring has learned since', async (t) => {
  const [engine] = engines
  assert.ok(engine)
  const { database } = await engine.open(t)
  const { source } = await prepared(database, 1)
  const turned = { ...source, keyring: testKeyring([1, 2]) }
  const { header, close } = await openBackup(turned)
  await close()
  assert.equal(header.keyVersion, 1)
  await database.query.deleteFrom('domain_keys').execute()
  await assert.rejects(openBackup(turned), /the root key was replaced meanwhile/)
})

test('a backup says which streams of the journal went on', async (t) => {
  const [engine] = engines
  assert.ok(engine)
  const { database } = await engine.open(t)
  const { query } = database
  const { source } = await prepared(database, 1)
  const states = ['serving', 'draining', 'drained', 'gone']
  const idOf = (index: number): string => String(index).repeat(16)
  for (const stream of ['worker-0', ...states.map((_, index) => streamOf(0, idOf(index)))]) {
    await query
      .insertInto('audit_writers')
      .values({
        stream,
        node_id: null,
        first_segment: 1,
        first_hash: null,
        first_records: 0,
        checkpoint: '{}',
        signature: Buffer.alloc(64),
        row_tag: Buffer.alloc(32),
      })
      .execute()
  }
  const written = async (): Promise<readonly string[]> => {
    const { header, close } = await openBackup(source)
    await close()
    return header.streams.filter(({ isWritten }) => isWritten).map(({ stream }) => stream)
  }
  assert.deepEqual(await written(), ['worker-0'])
  const node = { name: 'n', deployment_id: 'd', first_seen: 1, confirmed_at: 1, applied_seq: 0 }
  const clock = { reached_at: 1, clock_offset: 0, oldest_key: 1, known_key: 1, current_key: 1 }
  const rest = { applied_id: '', positions: '[]', row_version: 1, row_tag: Buffer.alloc(32) }
  for (const [index, state] of states.entries()) {
    await query
      .insertInto('nodes')
      .values({ node_id: idOf(index), state, ...node, ...clock, ...rest })
      .execute()
  }
  assert.deepEqual(await written(), [streamOf(0, idOf(0)), streamOf(0, idOf(1))])
})

test('the copy of an embedded database goes with its snapshot', async (t) => {
  const sqlite = engines.find(({ name }) => name === 'sqlite')
  assert.ok(sqlite)
  const { database, path = '' } = await sqlite.open(t)
  await prepared(database, 1)
  const snapshot = await database.snapshot()
  assert.ok(existsSync(`${path}-copy`))
  await snapshot.close()
  assert.ok(!existsSync(`${path}-copy`))
  // One that nobody reads to its end, too.
  const { pieces } = await openBackup({
    database,
    keyring,
    clock: { now: () => 5 },
    random: systemRandom,
  })
  await pieces.next()
  await pieces.return(undefined)
  assert.ok(!existsSync(`${path}-copy`))
})
