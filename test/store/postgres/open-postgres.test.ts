/** A database in PostgreSQL: the locks of nodes, and changes of unknown outcome. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseInUse, DatabaseTooNew } from '../../../src/store/database.ts'
import { openDatabase } from '../../../src/store/open.ts'
import { readPostgresState } from '../../../src/store/postgres/postgres-state.ts'
import { storeOf } from '../engines.ts'
import { insertAccounts } from '../records.ts'
import { startProxy } from './faulty-proxy.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'
import { templateWithTables } from './template.ts'

const [version = 0] = testedVersions

const nodeId = '00112233aabbccdd'

test('two processes are never the same node', { skip }, async (t) => {
  const { url } = await testDatabase(t, version, await templateWithTables(version))
  const first = await openDatabase({ path: '', url, nodeId })
  await assert.rejects(openDatabase({ path: '', url, nodeId }), DatabaseInUse)
  const other = await openDatabase({ path: '', url, nodeId: 'ffffffffffffffff' })
  await other.close()
  await first.close()
  const second = await openDatabase({ path: '', url, nodeId })
  await second.close()
})

test('a node whose lock another process has taken ends', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version, await templateWithTables(version))
  const { promise: failed, resolve } = Promise.withResolvers<Error>()
  const database = await openDatabase({ path: '', url, nodeId, onFailure: resolve })
  t.after(() => database.close())
  // The session of the lock is the one that holds it; its place is taken at once.
  await admin(`ALTER DATABASE ${new URL(url).pathname.slice(1)} CONNECTION LIMIT 0;
    SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND database = (
        SELECT oid FROM pg_database WHERE datname = current_database())`)
  const { Client } = await import('pg')
  const thief = new Client({ connectionString: url.replace(/\/\/trent:/, '//admin:'), ssl: false })
  // The database is dropped while it is connected.
  thief.on('error', () => {})
  await thief.connect()
  t.after(() => thief.end())
  await thief.query('SELECT pg_advisory_lock($1)', [BigInt(`0x${nodeId}`)])
  await admin(`ALTER DATABASE ${new URL(url).pathname.slice(1)} CONNECTION LIMIT -1`)
  assert.ok((await failed) instanceof DatabaseInUse)
})

test('what is done alone is never done by two nodes at once', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  // The first tables of an empty database are made alone too.
  const nodes = await Promise.all([1, 2, 3].map(() => openDatabase({ path: '', url })))
  t.after(() => Promise.all(nodes.map((node) => node.close())))
  let inside = 0
  let most = 0
  await Promise.all(
    nodes.map((node) =>
      node.alone(async () => {
        inside += 1
        most = Math.max(most, inside)
        await sleep(50)
        inside -= 1
      }),
    ),
  )
  assert.equal(most, 1)
})

test(
  'a change whose COMMIT has no answer is told to its caller as what it became',
  {
    skip,
  },
  async (t) => {
    const { url, port } = await testDatabase(t, version, await templateWithTables(version))
    const proxy = await startProxy(t, port)
    const database = await openDatabase({
      path: '',
      url: url.replace(`:${port}/`, `:${proxy.port},127.0.0.1:${port}/`),
    })
    t.after(() => database.close())
    const { store } = storeOf(database)
    const epoch = store.epoch()
    await store.change(async (transaction) => {
      const account = { accountId: '111122223333', createdAt: 1 }
      await transaction.insertAccount(account)
      proxy.loseAnswersOf(/COMMIT/)
    })
    assert.equal(store.epoch(), epoch + 1)
    assert.equal((await store.findAccount('111122223333'))?.createdAt, 1)
  },
)

test('the state of a database is read before it is opened', { skip }, async (t) => {
  const empty = await testDatabase(t, version)
  assert.deepEqual(await readPostgresState(empty.url), { kind: 'empty' })
  const { url } = await testDatabase(t, version, await templateWithTables(version))
  assert.deepEqual(await readPostgresState(url), { kind: 'unfinished' })
  const database = await openDatabase({ path: '', url })
  t.after(() => database.close())
  await insertAccounts(storeOf(database).store)
  await database.query
    .insertInto('deployment')
    .values({ id: 1, deployment_id: 'one', created_at: 1 })
    .execute()
  const state = await readPostgresState(url)
  assert.equal(state.kind === 'deployment' && state.deploymentId, 'one')
  assert.equal(state.kind === 'deployment' && state.changes, database.epoch())
})

test('a database of a later version is refused', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version, await templateWithTables(version))
  await admin(`INSERT INTO schema_migrations VALUES (99, 'later')`)
  await assert.rejects(openDatabase({ path: '', url }), DatabaseTooNew)
})

test('a node settles its own records, and those that no node has', { skip }, async (t) => {
  const { url } = await testDatabase(t, version, await templateWithTables(version))
  const other = 'ffffffffffffffff'
  const [a, b] = await Promise.all(
    [nodeId, other].map(async (id) => {
      const database = await openDatabase({ path: '', url, nodeId: id })
      t.after(() => database.close())
      const { store } = storeOf(database)
      await store.insertNode({
        nodeId: id,
        name: 'n',
        deploymentId: 'd',
        state: 'serving',
        firstSeen: 1,
        confirmedAt: 1,
        reachedAt: 1,
        clockOffset: 0,
        appliedSeq: 0,
        appliedId: '0'.repeat(16),
        oldestKey: 1,
        knownKey: 1,
        currentKey: 1,
        positions: [],
        rowVersion: 1,
      })
      return store
    }),
  )
  // The last two: of a machine that was lost with its journal, and of an embedded database.
  const streams = [
    `${nodeId}-worker-0`,
    `${other}-worker-0`,
    `${'e'.repeat(16)}-worker-0`,
    'worker-0',
  ]
  await a?.change(async (transaction) => {
    for (const stream of streams) {
      await transaction.insertOutbox({ eventId: stream, record: '{}', stream, segment: 1 })
    }
  })
  const listed = async (store: typeof a): Promise<unknown> =>
    (await store?.listOutbox(9))?.map(({ stream }) => stream)
  assert.deepEqual(await listed(a), [streams[0], streams[2], streams[3]])
  assert.deepEqual(await listed(b), [streams[1], streams[2], streams[3]])
})
