/** A connection to PostgreSQL: values, failures, limits and settings. @module */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LeaseExpired, StatementFailed, TransactionConflict } from '../../../src/store/database.ts'
import { sessionsTable } from '../../../src/store/postgres/settle.ts'
import { DuplicateRow } from '../../../src/store/store.ts'
import { openedSession } from './opened-session.ts'
import { skip, type TestDatabase, testDatabase, testedVersions } from './shared-server.ts'

/** Runs the test on each tested version. */
function onEach(
  name: string,
  run: (t: TestContext, database: TestDatabase) => Promise<void>,
): void {
  if (skip !== false) test(name, { skip }, () => {})
  for (const version of testedVersions) {
    test(`${name} (PostgreSQL ${version})`, async (t) => {
      const database = await testDatabase(t, version)
      const session = await openedSession(t, database.url)
      await session.run(sessionsTable, [])
      await session.run(
        `CREATE TABLE things (id bigint PRIMARY KEY, name text COLLATE "C", bytes bytea)`,
        [],
      )
      session.destroy()
      await run(t, database)
    })
  }
}

const insert = 'INSERT INTO things (id, name, bytes) VALUES ($1, $2, $3)'

onEach('values come back as they were stored', async (t, { url }) => {
  const session = await openedSession(t, url)
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  const id = Number.MAX_SAFE_INTEGER
  assert.equal((await session.run(insert, [id, 'naïve "\\x00" 🔑', bytes])).affected, 1)
  const { rows } = await session.run('SELECT * FROM things', [])
  assert.deepEqual(rows, [{ id, name: 'naïve "\\x00" 🔑', bytes }])
  assert.equal(rows[0]?.['bytes']?.constructor, Uint8Array)
  await session.run(insert, [-1, null, null])
  const sums = 'SELECT count(*) AS n, sum(id) AS sum, max(id) > 0 AS some FROM things'
  assert.deepEqual((await session.run(sums, [])).rows, [{ n: 2, sum: id - 1, some: true }])
  await session.run('UPDATE things SET id = id + 1 WHERE id > 0', [])
  const large = await session.run('SELECT id FROM things WHERE id > 0', [])
  assert.deepEqual(large.rows, [{ id: 2n ** 53n }])
})

onEach('a value that another engine cannot store is refused', async (t, { url }) => {
  const session = await openedSession(t, url)
  for (const value of [true, 1.5, undefined, new Date(0), {}]) {
    await assert.rejects(session.run(insert, [1, value, null]), TypeError)
  }
})

onEach('failures are those of the store, and quote no value', async (t, { url }) => {
  const session = await openedSession(t, url)
  await session.run(insert, [1, 'one', null])
  const quotesNothing = (error: Error): boolean => !error.message.includes('secret')
  await assert.rejects(
    session.run(insert, [1, 'secret', null]),
    (error: unknown) => error instanceof DuplicateRow && quotesNothing(error),
  )
  await assert.rejects(
    session.run(insert, ['secret', 'two', null]),
    (error: unknown) => error instanceof StatementFailed && quotesNothing(error),
  )
  await assert.rejects(session.run('SELECT 1 FROM nothing', []), StatementFailed)
  assert.equal(session.isEnded, false)
})

onEach('a transaction commits or rolls back', async (t, { url }) => {
  const session = await openedSession(t, url, { withCommit: 'SELECT max(id) AS last FROM things' })
  await session.begin()
  await session.run(insert, [7, 'seven', null])
  assert.deepEqual((await session.commit()).rows, [{ last: 7 }])
  await session.begin()
  await session.run(insert, [8, 'eight', null])
  await session.rollback()
  assert.deepEqual((await session.run('SELECT id FROM things', [])).rows, [{ id: 7 }])
})

onEach('a transaction in which a statement failed does not commit', async (t, { url }) => {
  for (const withCommit of ['', 'SELECT 1']) {
    const session = await openedSession(t, url, { withCommit })
    await session.begin()
    await session.run(insert, [1, 'one', null])
    await assert.rejects(session.run(insert, [1, 'one', null]), DuplicateRow)
    await assert.rejects(session.commit(), StatementFailed)
    assert.equal(session.isOpen, false)
    assert.deepEqual((await session.run('SELECT id FROM things', [])).rows, [])
  }
})

onEach('a deadlock and a long wait for a lock are conflicts', async (t, { url }) => {
  const one = await openedSession(t, url, { lockMaxMs: 300 })
  const other = await openedSession(t, url)
  await one.run(insert, [1, 'one', null])
  await one.run(insert, [2, 'two', null])
  const update = 'UPDATE things SET name = $1 WHERE id = $2'
  for (const session of [one, other]) await session.begin()
  await other.run(update, ['other', 1])
  await assert.rejects(one.run(update, ['one', 1]), TransactionConflict)
  for (const session of [one, other]) await session.rollback()

  const patient = await openedSession(t, url)
  for (const session of [patient, other]) await session.begin()
  await patient.run(update, ['one', 1])
  await other.run(update, ['other', 2])
  const answers = await Promise.allSettled([
    patient.run(update, ['one', 2]),
    other.run(update, ['other', 1]),
  ])
  const refused = answers.filter((answer) => answer.status === 'rejected')
  assert.equal(refused.length, 1)
  assert.ok(refused[0]?.reason instanceof TransactionConflict)
})

onEach('an idle transaction ends with its lease', async (t, { url }) => {
  const session = await openedSession(t, url, { leaseMs: 200 })
  await session.begin()
  await session.run(insert, [1, 'one', null])
  await sleep(600)
  await assert.rejects(
    session.run(insert, [2, 'two', null]),
    (error: unknown) => error instanceof LeaseExpired || error instanceof TransactionConflict,
  )
  assert.equal(session.isEnded, true)
  const after = await openedSession(t, url)
  assert.deepEqual((await after.run('SELECT id FROM things', [])).rows, [])
})

onEach('settings of the role do not reach the session', async (t, { url, admin, name }) => {
  await admin(`ALTER ROLE trent IN DATABASE ${name} SET synchronous_commit = off;
    ALTER ROLE trent IN DATABASE ${name} SET client_min_messages = error;
    ALTER ROLE trent IN DATABASE ${name} SET search_path = other;
    ALTER ROLE trent IN DATABASE ${name} SET default_transaction_isolation = 'repeatable read';
    ALTER ROLE trent IN DATABASE ${name} SET default_transaction_read_only = on`)
  const session = await openedSession(t, url)
  await session.begin()
  const setting = async (of: string): Promise<unknown> =>
    (await session.run('SELECT current_setting($1) AS value', [of])).rows[0]?.['value']
  assert.equal(await setting('synchronous_commit'), 'on')
  assert.equal(await setting('client_min_messages'), 'warning')
  assert.equal(await setting('search_path'), 'public,pg_temp')
  assert.equal(await setting('transaction_isolation'), 'read committed')
  assert.equal(await setting('transaction_read_only'), 'off')
})

onEach('a statement that comes again is prepared once', async (t, { url }) => {
  const session = await openedSession(t, url)
  for (const id of [1, 2, 3]) await session.run(insert, [id, 'one', null])
  const prepared = await session.run('SELECT statement FROM pg_prepared_statements', [])
  assert.equal(prepared.rows.filter(({ statement }) => statement === insert).length, 1)
})

onEach('a prepared statement is made anew when its table has changed', async (t, { url }) => {
  const session = await openedSession(t, url)
  const read = 'SELECT * FROM things'
  await session.run(read, [])
  const other = await openedSession(t, url)
  await other.run('ALTER TABLE things ADD COLUMN more text', [])
  const inTransaction = await openedSession(t, url)
  await inTransaction.run(read, [])
  await other.run('ALTER TABLE things ADD COLUMN most text', [])
  await session.run(read, [])
  await inTransaction.begin()
  await assert.rejects(inTransaction.run(read, []), TransactionConflict)
  await inTransaction.rollback()
  assert.deepEqual((await inTransaction.run(read, [])).rows, [])
})

onEach('a warning counts for its statement, whatever is sent after it', async (t, { url }) => {
  const session = await openedSession(t, url)
  const warns = `DO $$ BEGIN RAISE WARNING 'may be lost'; PERFORM pg_sleep(0.5); END $$`
  const first = assert.rejects(session.run(warns, []), { message: /may be lost \(01000\)/ })
  await sleep(200)
  // Its answer may come at the same moment, or be lost with the session.
  session.run('SELECT 1', []).catch(() => undefined)
  await first
  assert.equal(session.isEnded, true)
})
