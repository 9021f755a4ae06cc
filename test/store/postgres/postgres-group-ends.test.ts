/** A change of a group ends once, and runs nothing after its end. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { StatementFailed, TransactionConflict } from '../../../src/store/database.ts'
import { asked, type Change, held, insert, opened, together } from './grouped-changes.ts'
import { openedSession } from './opened-session.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'

/** Goes on after a statement that the server refused, so that its commit fails. */
async function goOn(change: Change): Promise<void> {
  await sql`SELECT 1 / 0`.execute(change).catch(() => undefined)
}

test('a failed commit undoes nothing of the next change', { skip, timeout: 60_000 }, async (t) => {
  // With one session, the next change has the session of the failed one.
  const { query, stored } = await opened(t, {}, { sessionsMax: 1 })
  const own = new Error('its own')
  const failed = query.transaction().execute(goOn)
  const undone = query.transaction().execute(async (change) => {
    await insert(change, 1)
    await insert(change, 2)
    throw own
  })
  await assert.rejects(failed, StatementFailed)
  await assert.rejects(undone, own)
  // Statements that ran outside a transaction would have stayed.
  assert.deepEqual(await stored(), [])
})

test('a failed commit undoes nothing of the next group', { skip, timeout: 60_000 }, async (t) => {
  const next = Promise.withResolvers<unknown>()
  const { query, stored } = await opened(
    t,
    {
      commit: async (one) => {
        await one.commit()
        // They wait for the turn, and have the session of the group that has just committed.
        next.resolve(
          together(query, [(change) => insert(change, 4), (change) => insert(change, 5)]),
        )
      },
    },
    { sessionsMax: 1 },
  )
  const first = held(query, 2)
  await first.isInside
  const failed = query.transaction().execute(goOn)
  await asked()
  first.letGo()
  await assert.rejects(failed, StatementFailed)
  assert.deepEqual(await next.promise, [undefined, undefined])
  assert.deepEqual(await stored(), [1, 2, 4, 5])
})

test('a change that has ended runs no statement any more', { skip, timeout: 60_000 }, async (t) => {
  const { query, stored } = await opened(t)
  const ended: Change[] = []
  const first = query.transaction().execute(async (change) => {
    ended.push(change)
    await insert(change, 1)
    await asked()
  })
  const second = held(query, 2)
  await second.isInside
  const [change = assert.fail()] = ended
  await assert.rejects(insert(change, 3), /has ended/)
  second.letGo()
  await Promise.all([first, second.ended])
  await assert.rejects(insert(change, 3), /already committed/)
  assert.deepEqual(await stored(), [1, 2])
})

test(
  'where no savepoint can be set, no other change is undone',
  { skip, timeout: 60_000 },
  async (t) => {
    const { query, stored } = await opened(t)
    const found = await together(query, [
      (change) => insert(change, 2),
      async (change) => {
        await insert(change, 3)
        // Its answer comes after the change has ended.
        void goOn(change)
      },
      (change) => insert(change, 4),
    ]).catch((error: unknown) => error)
    // The connection was closed, so no change was committed, and the first one says so.
    assert.ok(found instanceof TransactionConflict)
    assert.deepEqual(await stored(), [])
  },
)

test(
  'a session ends, and says so once, if it cannot set a savepoint',
  { skip, timeout: 60_000 },
  async (t) => {
    const [version = 0] = testedVersions
    const { url } = await testDatabase(t, version)
    const session = await openedSession(t, url)
    let ended = 0
    session.onEnded = () => {
      ended += 1
    }
    await session.run('BEGIN', [])
    await session.moveSavepoint(false)
    await session.moveSavepoint(true)
    assert.equal(session.isEnded, false)
    await assert.rejects(session.run('SELECT 1 / 0', []))
    await assert.rejects(session.moveSavepoint(true))
    assert.equal(session.isEnded, true)
    session.destroy()
    assert.equal(ended, 1)
  },
)
