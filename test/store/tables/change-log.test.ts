/** The numbers of changes: their order, their content, when the epoch rises. @module */
import { sql } from 'kysely'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeIdOf } from '../../../src/model/change-number.ts'
import { answeredChangesMax, loggedChangesMax } from '../../../src/store/tables/change-log.ts'
import type { Change } from '../../../src/store/change.ts'
import { engines, storeOf } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newAccessKey,
  newAlias,
  newKey,
  newMaterial,
  region,
} from '../records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: more lost changes can be accepted than one statement takes`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const lost = Array.from({ length: 20_000 }, (_, seq) => ({
      changeId: String(seq).padStart(16, '0'),
      seq,
      acceptedAt: 1,
    }))
    await store.change((transaction) => transaction.acceptLost(lost))
    const { count } = await database.query
      .selectFrom('lost_changes')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    assert.equal(count, lost.length)
  })

  test(`${engine}: the log names all that a change touched, each once`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertAccessKey(newAccessKey('AKIA1'))
      const key = await transaction.insertKey(newKey('k'))
      await transaction.insertMaterial(newMaterial('aa', 'k'))
      await transaction.updateKey(key, { currentMaterialId: 'aa' })
      await transaction.insertAlias(newAlias('alias/a', 'k'))
    })
    const at = { seq: 2, accountId, region }
    assert.deepEqual(await store.changesSince(1), [
      { ...at, kind: 'access-key', region: '', id: 'AKIA1' },
      { ...at, kind: 'key', id: 'k' },
      { ...at, kind: 'material', id: 'aa' },
      { ...at, kind: 'alias', id: 'alias/a' },
    ])
    const alias = await store.findAlias(newAlias('alias/a', 'k'))
    const accessKey = await store.findAccessKey('AKIA1')
    assert.ok(alias !== undefined && accessKey !== undefined)
    await store.change((transaction) =>
      transaction.updateAccessKey(accessKey, { status: 'Inactive' }),
    )
    await store.change((transaction) => transaction.deleteAlias(alias))
    assert.deepEqual(await store.changesSince(2), [
      { ...at, seq: 3, kind: 'access-key', region: '', id: 'AKIA1' },
      { ...at, seq: 4, kind: 'alias', id: 'alias/a' },
    ])
    assert.equal((await store.changesSince(0))?.length, 8)
    assert.deepEqual(await store.changesSince(4), [])
  })

  test(`${engine}: reading, confirming and the outbox alone take no number`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const key = await store.change((transaction) => transaction.insertKey(newKey('k')))
    await store.change((transaction) => transaction.findKey(key))
    await store.change((transaction) => transaction.confirmKey(key))
    await store.change((transaction) =>
      transaction.insertOutbox({ eventId: 'e', record: '{}', stream: 's', segment: 1 }),
    )
    assert.equal((await store.listOutbox(9)).length, 1)
    assert.equal(store.epoch(), 2)
    assert.deepEqual(await store.changesSince(2), [])
  })

  test(`${engine}: records of a change carry its number, and lost numbers are never taken`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const row = { record: '{"eventID":"e","trent":{"reasons":[]}}', stream: 's', segment: 1 }
    const kept = await store.change(async (transaction) => {
      await transaction.insertKey(newKey('k'))
      return [
        await transaction.insertOutbox({ ...row, eventId: 'e1' }),
        await transaction.insertOutbox({ ...row, eventId: 'e2', record: '{}' }),
      ]
    })
    const [first = '', second = ''] = kept
    const changeId = changeIdOf(JSON.parse(first)) ?? ''
    assert.match(changeId, /^[\da-f]{16}$/)
    assert.equal(
      first,
      `{"eventID":"e","trent":{"reasons":[],"change":2,"changeId":"${changeId}"}}`,
    )
    assert.equal(second, `{"trent":{"change":2,"changeId":"${changeId}"}}`)
    assert.deepEqual(
      (await store.listOutbox(9)).map(({ record }) => record),
      kept,
    )
    assert.equal(store.epoch(), 2)
    await store.change((transaction) => transaction.skipChanges(7))
    await store.change((transaction) => transaction.skipChanges(5))
    assert.equal(store.epoch(), 7)
    assert.equal(
      await store.changesSince(2),
      undefined,
      'whoever reads the log forgets all it knows',
    )
    await insertKeys(store, newKey('k2'))
    assert.equal(store.epoch(), 8)
  })

  test(`${engine}: clients at once get distinct numbers, and commits follow them`, async (t) => {
    const { database, connect } = await open(t)
    await insertAccounts(storeOf(database).store)
    const clients = [database, connect(), connect(), connect()].map((it) => storeOf(it).store)
    const seen: string[] = []
    await Promise.all(
      clients.map(async (store, client) => {
        for (let round = 0; round < 15; round += 1) {
          const keyId = `k-${client}-${round}`
          // A transaction sees exactly the commits with smaller numbers.
          const before = await store.change(async (transaction) => {
            const keys = await transaction.listKeys(accountId, region, { limit: 100 })
            await transaction.insertKey(newKey(keyId))
            return keys.length
          })
          assert.ok(store.epoch() >= before + 2)
          seen[before] = keyId
        }
      }),
    )
    const changes = await storeOf(database).store.changesSince(1)
    assert.deepEqual(
      changes?.map(({ seq, id }) => [seq, id]),
      seen.map((id, index) => [index + 2, id]),
    )
    assert.equal(seen.length, 60)
    assert.deepEqual(
      clients.map((store) => store.epoch()),
      clients.map(() => 61),
    )
  })

  test(`${engine}: a change that fails takes no number`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const failure = new Error('no')
    const failing = store.change(async (transaction) => {
      await transaction.insertKey(newKey('k'))
      throw failure
    })
    await assert.rejects(failing, failure)
    await insertKeys(store, newKey('k2'))
    const changes = await store.changesSince(1)
    const expected: Change = { seq: 2, kind: 'key', accountId, region, id: 'k2' }
    assert.deepEqual(changes, [expected])
  })

  test(`${engine}: the log is pruned to its bound, and a reader behind it gets undefined`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    const last = loggedChangesMax + 100
    await database.query
      .updateTable('change_head')
      .set({ seq: last - 2 })
      .execute()
    const logged = async (): Promise<readonly number[]> => {
      const rows = await database.query.selectFrom('change_log').select('seq').execute()
      return rows.map(({ seq }) => seq)
    }
    await insertKeys(store, newKey('k1'))
    assert.deepEqual(await logged(), [1, 1, last - 1], 'it is pruned every hundredth time')
    await insertKeys(store, newKey('k2'))
    assert.equal(store.epoch(), last)
    assert.deepEqual(await logged(), [last - 1, last])
    assert.equal((await store.changesSince(last - 1))?.length, 1)
    for (const behind of [0, 1, last - 3]) {
      assert.equal(await store.changesSince(behind), undefined)
    }
  })

  test(`${engine}: a log with its end or its beginning missing is not believed`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'))
    await insertKeys(store, newKey('k2'))
    assert.equal((await store.changesSince(1))?.length, 2)
    await sql`DELETE FROM change_log WHERE seq = 3`.execute(database.query)
    // The first store keeps what it has read.
    const { store: other } = storeOf(database)
    assert.equal(await other.changesSince(1), undefined)
    assert.equal(await other.changesSince(2), undefined)
    assert.equal(await other.changesSince(4), undefined)
    assert.deepEqual(await other.changesSince(3), [])
  })

  test(`${engine}: a reader that is too far behind gets undefined`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const add = async (first: number, last: number): Promise<void> => {
      const row_tag = new Uint8Array(32) // who reads changes forgets what it knows: no tag is needed for that
      const place = { account_id: 'a', region: 'r', id: 'k' }
      const entry = { change_id: '1'.repeat(16), position: 0, kind: 'key', ...place, row_tag }
      for (let start = first; start <= last; start += 1000) {
        const length = Math.min(1000, last + 1 - start)
        const entries = Array.from({ length }, (_, index) => ({ ...entry, seq: start + index }))
        await database.query.insertInto('change_log').values(entries).execute()
      }
    }
    await add(1, answeredChangesMax)
    await database.query.updateTable('change_head').set({ seq: answeredChangesMax }).execute()
    assert.equal((await store.changesSince(0))?.length, answeredChangesMax)
    await add(answeredChangesMax + 1, answeredChangesMax + 1)
    await database.query
      .updateTable('change_head')
      .set({ seq: answeredChangesMax + 1 })
      .execute()
    assert.equal(await store.changesSince(0), undefined)
    assert.equal((await store.changesSince(1))?.length, answeredChangesMax)
  })
}
