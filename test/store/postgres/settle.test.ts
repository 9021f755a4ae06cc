/** COMMITs of unknown outcome, and how their outcome is found. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OutcomeUnknown } from '../../../src/store/postgres/postgres-failure.ts'
import {
  type Mark,
  type PostgresSession,
  Unanswered,
} from '../../../src/store/postgres/postgres-session.ts'
import {
  deleteOldSessions,
  hasCommitted,
  sessionsTable,
} from '../../../src/store/postgres/settle.ts'
import { startProxy } from './faulty-proxy.ts'
import { openedSession } from './opened-session.ts'
import { installedPostgres } from './postgres-binaries.ts'
import { startPair } from './postgres-pair.ts'
import { startPostgres } from './postgres-server.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'
import { asSuperuser, type ServerAddress } from './superuser.ts'

const [version = 0] = testedVersions
const binaries = installedPostgres().find((each) => each.version === version)
const table = 'CREATE TABLE things (id bigint PRIMARY KEY)'

/** Begins a transaction that stores a thing. */
async function begun(session: PostgresSession): Promise<void> {
  await session.begin()
  await session.run('INSERT INTO things (id) VALUES ($1)', [1])
}

/** The mark of a COMMIT whose outcome must be unknown. */
async function unanswered(session: PostgresSession, why: RegExp): Promise<Mark> {
  const error = await session.commit().then(
    () => assert.fail('the COMMIT has an outcome'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Unanswered, String(error))
  assert.match(error.message, why)
  assert.equal(session.isEnded, true)
  return error.mark
}

const countThings = async (session: PostgresSession): Promise<unknown> =>
  (await session.run('SELECT count(*) AS n FROM things', [])).rows[0]?.['n']

test('a COMMIT whose answer is lost is found to have committed', { skip }, async (t) => {
  const { url, port } = await testDatabase(t, version)
  const other = await openedSession(t, url)
  for (const statement of [sessionsTable, table]) await other.run(statement, [])
  const proxy = await startProxy(t, port)
  const session = await openedSession(t, url.replace(`:${port}/`, `:${proxy.port}/`), {
    commitMaxMs: 300,
  })
  await begun(session)
  proxy.loseAnswers()
  const mark = await unanswered(session, /no answer within 300 ms/)
  assert.equal(await hasCommitted(other, mark), true)
  assert.equal(await countThings(other), 1)
})

test(
  'a COMMIT that is lost is found not to have committed, once the old transaction is over',
  {
    skip,
  },
  async (t) => {
    const { url, port } = await testDatabase(t, version)
    const other = await openedSession(t, url)
    for (const statement of [sessionsTable, table]) await other.run(statement, [])
    const proxy = await startProxy(t, port)
    const limits = { commitMaxMs: 100, leaseMs: 1000 }
    const through = url.replace(`:${port}/`, `:${proxy.port}/`)
    const session = await openedSession(t, through, limits)
    await begun(session)
    proxy.loseRequests()
    const mark = await unanswered(session, /no answer within 100 ms/)
    // The server still has the transaction open: there is no answer yet.
    const impatient = await openedSession(t, url, { lockMaxMs: 100 })
    await assert.rejects(hasCommitted(impatient, mark))
    await impatient.rollback()
    assert.equal(await hasCommitted(other, mark), false)
    assert.equal(await countThings(other), 0)
  },
)

test(
  'a transaction that a session began before the lost one is not taken for it',
  {
    skip,
  },
  async (t) => {
    const { url } = await testDatabase(t, version)
    const other = await openedSession(t, url)
    for (const statement of [sessionsTable, table]) await other.run(statement, [])
    const session = await openedSession(t, url)
    await begun(session)
    await session.commit()
    await session.begin()
    session.destroy()
    const mark = await unanswered(session, /closed/)
    assert.equal(await hasCommitted(other, mark), false)
  },
)

test('rows of sessions of former days are deleted', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const session = await openedSession(t, url)
  await session.run(sessionsTable, [])
  await session.run(
    `INSERT INTO database_sessions (session_id, change_id, begun_at)
     VALUES ('old', 'x', now() - interval '2 days'), ('new', 'y', now())`,
    [],
  )
  await session.run(deleteOldSessions, [])
  const { rows } = await session.run('SELECT session_id FROM database_sessions', [])
  assert.deepEqual(rows, [{ session_id: 'new' }])
})

/** Waits until the column `so` of a statement's row is true. */
async function until(server: ServerAddress, statement: string): Promise<void> {
  while ((await asSuperuser(server, 'postgres', statement))[0]?.['so'] !== true) await sleep(20)
}

/** Tried with the driver alone: it resolves, as if the change were safe. */
test(
  'a COMMIT that no standby acknowledged has an unknown outcome, until one does',
  {
    skip,
  },
  async (t) => {
    assert.ok(binaries)
    const server = await startPostgres(binaries)
    t.after(() => server.stop())
    const admin = (statements: string): Promise<readonly Record<string, unknown>[]> =>
      asSuperuser(server, 'postgres', statements)
    const { superuser, password, port } = server
    const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`
    const first = await openedSession(t, url)
    for (const statement of [sessionsTable, table]) await first.run(statement, [])
    const session = await openedSession(t, url)
    await begun(session)
    const require = async (names: string): Promise<void> => {
      await admin(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
      await admin('SELECT pg_reload_conf()')
      await until(server, `SELECT current_setting('synchronous_standby_names') = '${names}' AS so`)
    }
    await require('nobody')
    const commit = unanswered(session, /01000/)
    const cancel = `SELECT pg_cancel_backend(pid) AS so FROM pg_stat_activity
      WHERE wait_event = 'SyncRep'`
    await until(server, cancel)
    const mark = await commit

    const doubtful = await openedSession(t, url, { commitMaxMs: 300 })
    await assert.rejects(hasCommitted(doubtful, mark), OutcomeUnknown)
    await require('')
    const settling = await openedSession(t, url)
    assert.equal(await hasCommitted(settling, mark), true)
  },
)

test(
  'after a failover, a change that the new primary lacks has not committed',
  {
    skip,
  },
  async (t) => {
    assert.ok(binaries)
    const { superuser, password, primary, standby, replication } = await startPair(t, binaries)
    const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`
    const url = `postgres://${superuser}:${password}@${hosts}/postgres`
    // The first host of the list is the standby, and is left.
    const session = await openedSession(t, url)
    for (const statement of [sessionsTable, table]) await session.run(statement, [])
    const address = { superuser, password, port: standby.port }
    await until(address, `SELECT to_regclass('things') IS NOT NULL AS so`)
    replication.loseAnswers()
    await begun(session)
    await session.commit()
    await session.begin()
    await session.run('INSERT INTO things (id) VALUES (2)', [])
    // A backend goes on for a while after the server's first process is gone.
    const [backend] = (await session.run('SELECT pg_backend_pid() AS pid', [])).rows
    primary.process.kill('SIGKILL')
    process.kill(Number(backend?.['pid']), 'SIGKILL')
    const mark = await unanswered(session, /terminat|ECONNRESET|closed/)
    await assert.rejects(openedSession(t, url), /it is a standby; .*ECONNREFUSED/)
    await asSuperuser(address, 'postgres', 'SELECT pg_promote()')
    const promoted = await openedSession(t, url)
    assert.equal(await hasCommitted(promoted, mark), false)
    assert.equal(await countThings(promoted), 0)
  },
)
