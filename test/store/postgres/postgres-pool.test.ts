/** The sessions of a process: their number, their order and their end. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { DatabaseFailed } from '../../../src/store/database.ts'
import { parseDatabaseUrl } from '../../../src/store/postgres/database-url.ts'
import { DatabaseUnreachable } from '../../../src/store/postgres/postgres-failure.ts'
import { noTransactions, postgresDialect } from '../../../src/store/postgres/postgres-dialect.ts'
import { Pool, type PoolSettings } from '../../../src/store/postgres/postgres-pool.ts'
import { sessionsTable } from '../../../src/store/postgres/settle.ts'
import { startProxy } from './faulty-proxy.ts'
import { sessionSettings } from './opened-session.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'

const [version = 0] = testedVersions

async function pooled(
  t: TestContext,
  settings: Partial<PoolSettings> = {},
): Promise<{ readonly pool: Pool; readonly admin: (statements: string) => Promise<unknown> }> {
  const { url, admin } = await testDatabase(t, version)
  const limits = { sessionsMax: 2, waitMaxMs: 500, primaryMaxMs: 0, sessionAgeMaxMs: 60_000 }
  const pool = new Pool(parseDatabaseUrl(url), { ...sessionSettings, ...limits, ...settings })
  t.after(() => pool.close())
  const session = await pool.acquire()
  await session.run(sessionsTable, [])
  pool.release(session)
  return { pool, admin }
}

test(
  'a pool opens no more sessions than its limit, and serves callers in order',
  {
    skip,
  },
  async (t) => {
    const { pool } = await pooled(t)
    const [one, other] = [await pool.acquire(), await pool.acquire()]
    const order: string[] = []
    const third = pool.acquire().then((session) => [order.push('third'), session] as const)
    const fourth = pool.acquire().then((session) => [order.push('fourth'), session] as const)
    assert.deepEqual(pool.figures(), { open: 2, idle: 0, waiting: 2 })
    pool.release(one)
    assert.equal((await third)[1], one)
    pool.release(other)
    assert.equal((await fourth)[1], other)
    assert.deepEqual(order, ['third', 'fourth'])
    assert.deepEqual(pool.figures(), { open: 2, idle: 0, waiting: 0 })
  },
)

test('a caller waits for a session only so long', { skip }, async (t) => {
  const { pool } = await pooled(t, { sessionsMax: 1, waitMaxMs: 400 })
  const session = await pool.acquire()
  await assert.rejects(pool.acquire(), DatabaseUnreachable)
  pool.release(session)
  assert.equal(await pool.acquire(), session)
})

test(
  'a session with an open transaction, a broken one and an old one are not reused',
  {
    skip,
  },
  async (t) => {
    const { pool } = await pooled(t, { sessionAgeMaxMs: 400 })
    const open = await pool.acquire()
    await open.begin()
    pool.release(open)
    assert.equal(open.isEnded, true)
    const broken = await pool.acquire()
    const idle = await pool.acquire()
    pool.release(idle)
    broken.destroy()
    pool.release(broken)
    assert.equal(idle.isEnded, true)
    const old = await pool.acquire()
    await new Promise((resolve) => void setTimeout(resolve, 500))
    pool.release(old)
    assert.equal(old.isEnded, true)
    assert.deepEqual(pool.figures(), { open: 0, idle: 0, waiting: 0 })
  },
)

test('a session that the server ends while it is idle is replaced', { skip }, async (t) => {
  const { pool, admin } = await pooled(t)
  await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'trent' AND datname = current_database()`)
  await new Promise((resolve) => void setTimeout(resolve, 100))
  const session = await pool.acquire()
  assert.deepEqual((await session.run('SELECT 1::bigint AS one', [])).rows, [{ one: 1 }])
})

test('closing rejects those who wait, and those who come later', { skip }, async (t) => {
  const { pool } = await pooled(t, { sessionsMax: 1 })
  const session = await pool.acquire()
  const waiting = assert.rejects(pool.acquire(), DatabaseFailed)
  pool.close()
  await waiting
  await assert.rejects(pool.acquire(), DatabaseFailed)
  assert.equal(session.isEnded, true)
})

test('hosts that cannot be reached are named, each with what was wrong', async (t) => {
  const address = parseDatabaseUrl('postgres://trent@127.0.0.1:1,[::1]:2/keys')
  const limits = { sessionsMax: 2, waitMaxMs: 500, primaryMaxMs: 0, sessionAgeMaxMs: 60_000 }
  const pool = new Pool(address, { ...sessionSettings, ...limits })
  t.after(() => pool.close())
  await assert.rejects(pool.acquire(), {
    name: 'Error',
    message: /no primary could be reached: 127\.0\.0\.1:1: .+; \[::1\]:2: .+/,
  })
})

test(
  'a caller waits for a primary only so long, and gets it when it comes',
  { skip },
  async (t) => {
    const { url, port } = await testDatabase(t, version)
    const proxy = await startProxy(t, port)
    const address = parseDatabaseUrl(url.replace(`:${port}/`, `:${proxy.port}/`))
    const limits = { sessionsMax: 2, waitMaxMs: 5000, primaryMaxMs: 1000, sessionAgeMaxMs: 60_000 }
    const pool = new Pool(address, { ...sessionSettings, ...limits })
    t.after(() => pool.close())
    proxy.loseAnswers()
    const since = performance.now()
    await assert.rejects(pool.acquire(), /no primary could be reached/)
    assert.ok(performance.now() - since > 500)
    const callers = [pool.acquire(), pool.acquire()]
    await sleep(500)
    proxy.heal()
    for (const session of await Promise.all(callers)) pool.release(session)
  },
)

interface Numbers {
  readonly one: { readonly id: number }
}

test('a read whose connection ends runs again, and a write does not', { skip }, async (t) => {
  const { pool, admin } = await pooled(t)
  const never = (): Promise<never> => Promise.reject(new Error('there is no transaction'))
  const query = new Kysely<Numbers>({
    dialect: postgresDialect(pool, { begin: never, commit: never }),
  })
  const snapshot = new Kysely<Numbers>({ dialect: postgresDialect(pool, noTransactions) })
  await sql`CREATE TABLE one (id int)`.execute(query)
  const endAll = async (): Promise<void> => {
    await sleep(200)
    await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'trent' AND datname = current_database()`)
  }
  const slow = sql<number>`(SELECT 1 FROM pg_sleep(0.6))`
  const read = query.selectNoFrom(slow.as('id')).execute()
  await endAll()
  assert.deepEqual(await read, [{ id: 1 }])
  // Another connection would see another moment.
  const seen = assert.rejects(snapshot.selectNoFrom(slow.as('id')).execute(), DatabaseFailed)
  await endAll()
  await seen
  const write = assert.rejects(
    query.insertInto('one').values({ id: slow }).execute(),
    DatabaseFailed,
  )
  await endAll()
  await write
  assert.deepEqual(await query.selectFrom('one').selectAll().execute(), [])
})
