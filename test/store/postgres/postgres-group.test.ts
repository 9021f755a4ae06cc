/** Changes of one process that commit together. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql, type Transaction } from 'kysely'
import { StatementFailed, TransactionConflict } from '../../../src/store/database.ts'
import { defer } from '../../../src/store/deferred.ts'
import { DatabaseUnreachable } from '../../../src/store/postgres/postgres-failure.ts'
import { DuplicateRow, StaleRow } from '../../../src/store/row-errors.ts'
import type { Schema } from '../../../src/store/schema/schema.ts'
import { asked, held, insert, opened, together, type Change } from './grouped-changes.ts'
import { skip } from './shared-server.ts'

test('changes that wait for each other commit together', { skip }, async (t) => {
  const { query, begun, stored } = await opened(t)
  const transactionOf = async (change: Change): Promise<unknown> =>
    (await sql<{ id: unknown }>`SELECT pg_current_xact_id()::text AS id`.execute(change)).rows[0]
      ?.id
  const ids = Array.from({ length: 40 }, (_, index) => index + 2)
  const found = await together(
    query,
    ids.map((id) => async (change) => {
      await insert(change, id)
      return await transactionOf(change)
    }),
  )
  assert.deepEqual(await stored(), [1, ...ids])
  assert.equal(begun(), 3)
  // The first one is alone in the list of those that were held.
  assert.equal(new Set(found.slice(0, 15)).size, 1)
  assert.equal(new Set(found).size, 3)
  await query.transaction().execute((change) => insert(change, 100))
  assert.equal(begun(), 4)
})

test('a change that fails is undone alone, and the next one begins anew', { skip }, async (t) => {
  const { query, begun, stored } = await opened(t)
  const own = new Error('its own')
  const found = await together(query, [
    (change) => insert(change, 2),
    async (change) => {
      await insert(change, 3)
      throw own
    },
    (change) => insert(change, 4),
    // A row that is there already, of a change before it that has not committed yet.
    (change) => insert(change, 4),
    async (change) => {
      await insert(change, 4).catch((error: unknown) => assert.ok(error instanceof DuplicateRow))
      await insert(change, 5)
    },
  ])
  assert.deepEqual([found[0], found[1], found[2], found[4]], [undefined, own, undefined, undefined])
  assert.ok(found[3] instanceof DuplicateRow)
  assert.deepEqual(await stored(), [1, 2, 4, 5])
  assert.equal(begun(), 1)
})

test('the first change that fails takes nothing with it', { skip }, async (t) => {
  const { query, stored } = await opened(t)
  const own = new Error('its own')
  const first = query.transaction().execute(async (change) => {
    await insert(change, 1)
    throw own
  })
  const second = query.transaction().execute((change) => insert(change, 2))
  await assert.rejects(first, own)
  await second
  assert.deepEqual(await stored(), [2])
})

test('a statement that the server refuses fails its own change alone', { skip }, async (t) => {
  const { query, stored } = await opened(t)
  const refused = async (change: Change): Promise<unknown> =>
    await sql`SELECT 1 / 0`.execute(change)
  const found = await together(query, [
    (change) => insert(change, 2),
    refused,
    async (change) => {
      await insert(change, 3)
      // A caller that goes on as if nothing had happened must not commit, nor fail the others.
      await refused(change).catch(() => undefined)
    },
    (change) => insert(change, 4),
  ])
  assert.ok(found[1] instanceof StatementFailed)
  assert.ok(found[2] instanceof StatementFailed)
  assert.deepEqual([found[0], found[3]], [undefined, undefined])
  assert.deepEqual(await stored(), [1, 2, 4])
})

test('a write that nobody waits for fails its own change alone', { skip }, async (t) => {
  const { query, stored } = await opened(t)
  const remove = async (change: Change, id: number): Promise<void> => {
    const removal = change.deleteFrom('things').where('id', '=', id)
    await defer(change as unknown as Transaction<Schema>, removal, { rows: 1 })
  }
  const fill = async (change: Change): Promise<void> => {
    const twice = change.insertInto('things').values([{ id: 7 }, { id: 7 }])
    await defer(change as unknown as Transaction<Schema>, twice)
  }
  const found = await together(query, [
    async (change) => {
      await insert(change, 2)
      await remove(change, 99)
      // Sent before the write's answer: its own answer must not be the one that counts.
      await insert(change, 3)
    },
    (change) => remove(change, 99),
    async (change) => {
      await fill(change)
      await change.selectFrom('things').selectAll().execute()
    },
    async (change) => {
      await remove(change, 1)
      await insert(change, 4)
      await remove(change, 4)
      await insert(change, 5)
    },
  ])
  assert.ok(found[0] instanceof StaleRow)
  assert.ok(found[1] instanceof StaleRow)
  assert.ok(found[2] instanceof DuplicateRow)
  assert.equal(found[3], undefined)
  assert.deepEqual(await stored(), [5])
})

test('a connection that ends takes all changes that did not commit', { skip }, async (t) => {
  const { query, admin, stored } = await opened(t)
  const first = held(query, 1)
  await first.isInside
  const second = held(query, 2)
  const third = query.transaction().execute((change) => insert(change, 3))
  await asked()
  first.letGo()
  await second.isInside
  await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'trent' AND datname = current_database()`)
  // It has ended, and waits for the COMMIT that never comes.
  await assert.rejects(first.ended, TransactionConflict)
  // Those who wait go on before the one that holds the transaction has noticed.
  await third
  second.letGo()
  await assert.rejects(second.ended, TransactionConflict)
  await query.transaction().execute((change) => insert(change, 4))
  assert.deepEqual(await stored(), [3, 4])
})

test('a refusal that rests on a change that was lost is not told', { skip }, async (t) => {
  const { query, admin, stored } = await opened(t)
  const first = held(query, 1)
  await first.isInside
  const { promise: isEnded, resolve: end } = Promise.withResolvers<void>()
  const second = query.transaction().execute(async (change) => {
    await insert(change, 1).catch((error: unknown) => assert.ok(error instanceof DuplicateRow))
    await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'trent' AND datname = current_database()`)
    end()
    await assert.rejects(first.ended, TransactionConflict)
    throw new Error('it is there already')
  })
  second.catch(() => undefined)
  await asked()
  first.letGo()
  await isEnded
  await assert.rejects(second, TransactionConflict)
  assert.deepEqual(await stored(), [])
})

test('a change that is idle for too long takes the turn from nobody', { skip }, async (t) => {
  const { query, stored } = await opened(t, {}, { leaseMs: 300 })
  const idle = held(query, 1)
  await idle.isInside
  await query.transaction().execute((change) => insert(change, 2))
  idle.letGo()
  await assert.rejects(idle.ended, TransactionConflict)
  assert.deepEqual(await stored(), [2])
})

test('a change waits for those before it only so long', { skip }, async (t) => {
  const { query, stored } = await opened(t, { turnMaxMs: 200 })
  const first = held(query, 1)
  await first.isInside
  await assert.rejects(
    query.transaction().execute((change) => insert(change, 2)),
    DatabaseUnreachable,
  )
  first.letGo()
  await first.ended
  await query.transaction().execute((change) => insert(change, 3))
  assert.deepEqual(await stored(), [1, 3])
})

test(
  'one outcome of a COMMIT without an answer is told to all of its changes',
  { skip },
  async (t) => {
    for (const isCommitted of [true, false]) {
      const settled: string[] = []
      const settle = async ({ message }: Error): Promise<void> => {
        settled.push(message)
        if (!isCommitted) throw new TransactionConflict(message)
      }
      const { query, proxy, stored } = await opened(t, { settle }, { commitMaxMs: 500 })
      const first = held(query, 1)
      await first.isInside
      const second = query.transaction().execute((change) => insert(change, 2))
      const third = held(query, 3)
      second.catch(() => undefined)
      await asked()
      first.letGo()
      await third.isInside
      proxy.loseAnswersOf(/COMMIT/)
      third.letGo()
      for (const ended of [first.ended, second, third.ended]) {
        if (isCommitted) await ended
        else await assert.rejects(ended, TransactionConflict)
      }
      assert.equal(settled.length, 1)
      proxy.heal()
      await query.transaction().execute((change) => insert(change, 4))
      assert.deepEqual(await stored(), [1, 2, 3, 4])
    }
  },
)

test(
  'a transaction that cannot begin fails one change, and the next one tries',
  { skip },
  async (t) => {
    let attempts = 0
    const refusal = new Error('not now')
    const { query, stored } = await opened(t, {
      async begin(session) {
        attempts += 1
        await session.begin()
        if (attempts > 1) return
        await session.rollback()
        throw refusal
      },
    })
    const changes = [1, 2, 3].map((id) =>
      query.transaction().execute((change) => insert(change, id)),
    )
    await assert.rejects(changes[0] ?? assert.fail(), refusal)
    await Promise.all(changes.slice(1))
    assert.deepEqual(await stored(), [2, 3])
    assert.equal(attempts, 2)
  },
)

test('closing answers all changes', { skip }, async (t) => {
  const { query } = await opened(t)
  const first = held(query, 1)
  await first.isInside
  const waiting = [2, 3].map((id) => query.transaction().execute((change) => insert(change, id)))
  const answered = Promise.allSettled(waiting)
  await query.destroy()
  first.letGo()
  await assert.rejects(first.ended)
  assert.deepEqual(
    (await answered).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
})
