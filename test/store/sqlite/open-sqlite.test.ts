/** The store thread seen by its clients: leases that end, threads that join, failures. @module */
import { sql } from 'kysely'
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { receiveMessageOnPort, Worker } from 'node:worker_threads'
import { DatabaseFailed, LeaseExpired } from '../../../src/store/database.ts'
import { attachSqliteDatabase, openSqliteDatabase } from '../../../src/store/sqlite/open-sqlite.ts'
import { readOffline } from '../../../src/store/sqlite/sqlite.ts'
import { storeOf, temporaryFolder } from '../engines.ts'
import { accountId, insertAccounts, insertKeys, newKey, region } from '../records.ts'

test('a transaction that stalls is rolled back, and goes no further', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  // Long enough that no pause of a busy machine ends the transactions that are not to stall.
  const database = await openSqliteDatabase({ path, leaseMs: 1000 })
  t.after(() => database.close())
  const { store } = storeOf(database)
  await insertAccounts(store)
  const stalled = store.change(async (transaction) => {
    await transaction.insertKey(newKey('k'))
    await transaction.findKey(newKey('k'))
    // A read from outside is served once the lease is over, and not before.
    assert.equal(await store.findKey(newKey('k')), undefined)
    await transaction.findKey(newKey('k'))
  })
  await assert.rejects(stalled, LeaseExpired)
  assert.deepEqual(await store.listKeys(accountId, region, { limit: 9 }), [])
  const late = store.change(async (transaction) => {
    await transaction.insertKey(newKey('k'))
    await transaction.findKey(newKey('k'))
    await store.findKey(newKey('k'))
  })
  await assert.rejects(late, LeaseExpired)
  assert.equal(store.epoch(), 1)
  await insertKeys(store, newKey('k'))
  assert.equal(store.epoch(), 2)
})

test('code left running in a transaction cannot use it after its end', async (t) => {
  const database = await openSqliteDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  const { store } = storeOf(database)
  await insertAccounts(store)
  const leaked = await store.change((transaction) => Promise.resolve({ transaction }))
  await assert.rejects(leaked.transaction.insertKey(newKey('k')))
  await assert.rejects(leaked.transaction.findKey(newKey('k')))
  assert.equal(await store.findKey(newKey('k')), undefined)
})

test('the epoch is raised before the commit is acknowledged', async (t) => {
  const database = await openSqliteDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  await insertAccounts(storeOf(database).store)
  const { port, epoch } = database.share()
  t.after(() => port.close())
  const numbers = new BigInt64Array(epoch)
  const pause = new Int32Array(new SharedArrayBuffer(4))
  let id = 0
  // No event loop runs between the arrival of an answer and the look at the epoch.
  const ask = (name: string, given?: unknown): unknown => {
    id += 1
    port.postMessage({ kind: 'question', id, name, given })
    for (;;) {
      const received = receiveMessageOnPort(port)
      if (received !== undefined) return received.message.answer
      Atomics.wait(pause, 0, 0, 1)
    }
  }
  for (let number = 2n; number < 20n; number += 1n) {
    const lease = Number(number)
    const steps = [{ sql: 'UPDATE change_head SET seq = seq + 1', parameters: [] }]
    ask('transact', { lease, begins: true, steps })
    assert.equal(Atomics.load(numbers, 0), number - 1n)
    ask('transact', { lease, begins: false, steps: [], ends: 'commit' })
    assert.equal(Atomics.load(numbers, 0), number)
  }
})

test('a database that is opened again knows the number of its last change', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  const first = await openSqliteDatabase({ path })
  assert.equal(first.epoch(), 0)
  await insertAccounts(storeOf(first).store)
  await first.close()
  const second = await openSqliteDatabase({ path })
  t.after(() => second.close())
  assert.equal(second.epoch(), 1)
  assert.notEqual(await storeOf(second).store.findAccount(accountId), undefined)
})

test('a worker thread joins, changes the store, and dies in the middle without harm', async (t) => {
  const database = await openSqliteDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  const { store } = storeOf(database)
  await insertAccounts(store)
  const shared = database.share()
  const worker = new Worker(new URL('joining-thread.ts', import.meta.url), {
    workerData: shared,
    transferList: [shared.port],
  })
  t.after(() => worker.terminate())
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  // It holds a transaction open that it will never end.
  const waiting = store.listKeys(accountId, region, { limit: 9 })
  await worker.terminate()
  assert.deepEqual(
    (await waiting).map(({ keyId }) => keyId),
    ['committed'],
  )
  assert.equal(store.epoch(), 2)
})

test('closing rejects what is pending and what comes later, and fails nothing', async (t) => {
  let failures = 0
  const path = join(temporaryFolder(t), 'trent.db')
  const database = await openSqliteDatabase({ path, onFailure: () => (failures += 1) })
  const { store } = storeOf(database)
  const client = attachSqliteDatabase(database.share(), () => (failures += 1))
  await client.close()
  await assert.rejects(storeOf(client).store.findAccount(accountId), DatabaseFailed)
  assert.equal(await store.findAccount(accountId), undefined)
  const pending = store.findAccount(accountId)
  const [outcome] = await Promise.allSettled([pending, database.close()])
  assert.equal(outcome.status, 'rejected')
  await assert.rejects(store.findAccount(accountId), DatabaseFailed)
  await database.close()
  assert.equal(failures, 0)
})

test('a damaged file ends the database for all clients, and is reported once', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  const first = await openSqliteDatabase({ path })
  await insertAccounts(storeOf(first).store)
  await insertKeys(storeOf(first).store, newKey('k'))
  const { rows } = await sql<{ rootpage: number; size: number }>`
    SELECT rootpage, (SELECT page_size FROM pragma_page_size) AS size
    FROM sqlite_schema WHERE name = 'keys'`.execute(first.query)
  await first.close()
  const { rootpage, size } = rows[0] ?? assert.fail()
  const file = readFileSync(path)
  writeFileSync(path, file.fill(0xff, (rootpage - 1) * size, rootpage * size))

  const failures: Error[] = []
  let reported: () => void = () => {}
  const failed = new Promise<void>((resolve) => (reported = resolve))
  const onFailure = (error: Error): void => {
    failures.push(error)
    reported()
  }
  const second = await openSqliteDatabase({ path, onFailure })
  const { store } = storeOf(second)
  assert.notEqual(await store.findAccount(accountId), undefined)
  const outcomes = await Promise.allSettled([
    store.findKey(newKey('k')),
    store.findAccount(accountId),
    store.change((transaction) => transaction.findAccount(accountId)),
  ])
  assert.ok(outcomes.every((it) => it.status === 'rejected' && it.reason instanceof DatabaseFailed))
  await failed
  await assert.rejects(store.findAccount(accountId), DatabaseFailed)
  await second.close()
  assert.equal(failures.length, 1)
  const [{ cause } = assert.fail()] = failures
  assert.ok(cause instanceof Error)
  assert.match(cause.message, /malformed/)
})

test('a value that no column can hold is refused before it is sent', async (t) => {
  const database = await openSqliteDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  for (const value of [undefined, true, 1.5, Number.NaN, 2 ** 53, {}, Symbol('s')]) {
    await assert.rejects(sql`SELECT ${value}`.execute(database.query), TypeError)
  }
  const { rows } = await sql`SELECT ${'a'} AS a, ${1} AS b, ${null} AS c`.execute(database.query)
  assert.deepEqual(rows, [{ a: 'a', b: 1, c: null }])
})

test('the log is copied into the file regularly, so that losing it loses little', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'trent.db')
  const database = await openSqliteDatabase({ path, checkpointMs: 5 })
  t.after(() => database.close())
  const { store } = storeOf(database)
  const copied = (): unknown => {
    const copy = join(folder, 'copy.db')
    copyFileSync(path, copy)
    return readOffline(copy, (rowsOf) => rowsOf('SELECT seq FROM change_head')[0]?.['seq'])
  }
  for (const [round, keyId] of ['k1', 'k2', 'k3'].entries()) {
    await (round === 0 ? insertAccounts(store) : insertKeys(store, newKey(keyId)))
    while (copied() !== store.epoch()) await delay(5)
  }
})
