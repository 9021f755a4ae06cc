/** Accounts, access keys, the outbox and the transaction, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransactionConflict } from '../../src/store/database.ts'
import { DuplicateRow, StaleRow, type Transaction } from '../../src/store/store.ts'
import { engines, storeOf } from './engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newAccessKey,
  newAlias,
  newGrant,
  newKey,
  newMaterial,
  otherAccountId,
  region,
} from './records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: an account is found as it was inserted, another is not`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    assert.deepEqual(await store.findAccount(accountId), { accountId, createdAt: 1, rowVersion: 1 })
    assert.equal(await store.findAccount('999999999999'), undefined)
  })

  test(`${engine}: an access key is found as it was inserted and updated`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await store.change((transaction) => transaction.insertAccessKey(newAccessKey('AKIA1')))
    const inserted = await store.findAccessKey('AKIA1')
    assert.deepEqual(inserted, { ...newAccessKey('AKIA1'), rowVersion: 1 })
    assert.equal(await store.findAccessKey('akia1'), undefined)
    const updated = await store.change((transaction) =>
      transaction.updateAccessKey(inserted, { status: 'Inactive' }),
    )
    assert.deepEqual(updated, { ...inserted, status: 'Inactive', rowVersion: 2 })
    assert.deepEqual(await store.findAccessKey('AKIA1'), updated)
    await assert.rejects(
      store.change((transaction) => transaction.updateAccessKey(inserted, { status: 'Active' })),
      StaleRow,
    )
  })

  test(`${engine}: a write that nobody waits for fails its change, whatever comes after`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    const key = await store.findKey(newKey('k'))
    assert.ok(key !== undefined)
    await store.change((transaction) => transaction.updateKey(key, { description: 'newer' }))
    const failing = async (after: (transaction: Transaction) => Promise<unknown>): Promise<void> =>
      store.change(async (transaction) => {
        await transaction.insertKey(newKey('k2'))
        await transaction.updateKey(key, { description: 'stale' })
        await after(transaction)
      })
    await assert.rejects(
      failing(async () => {}),
      StaleRow,
    )
    await assert.rejects(
      failing((transaction) => transaction.findKey(key)),
      StaleRow,
    )
    await assert.rejects(failing((transaction) => transaction.findKey(key).catch(() => undefined)))
    await assert.rejects(
      store.change((transaction) => transaction.insertKey(newKey('k'))),
      DuplicateRow,
    )
    assert.equal((await store.findKey(key))?.description, 'newer')
    assert.equal(await store.findKey(newKey('k2')), undefined)
    assert.equal(await store.countKeys(accountId, region), 1)
    assert.equal(store.epoch(), 3)
  })

  test(`${engine}: an outbox row that was planted, changed or stripped is not listed`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    const { query } = database
    for (const eventId of ['e1', 'e2', 'e3']) {
      const row = { eventId, record: `{"id":"${eventId}"}`, stream: 's', segment: 7 }
      await store.change((transaction) => transaction.insertOutbox(row))
    }
    const planted = { event_id: 'e0', record: '{"forged":true}', stream: 's', segment: 7 }
    const taken = await query
      .selectFrom('audit_outbox')
      .select('row_tag')
      .where('event_id', '=', 'e1')
      .executeTakeFirstOrThrow()
    await query
      .insertInto('audit_outbox')
      .values({ ...planted, ...taken })
      .execute()
    const changes = [
      { record: '{"id":"changed"}' },
      { stream: 't' },
      { segment: 8 },
      { event_id: 'e9' },
      { row_tag: new Uint8Array(36) },
    ]
    for (const change of changes) {
      const genuine = await query
        .selectFrom('audit_outbox')
        .selectAll()
        .where('event_id', '=', 'e2')
        .executeTakeFirstOrThrow()
      const at = query.updateTable('audit_outbox').where('position', '=', genuine.position)
      await at.set(change).execute()
      forged.length = 0
      const listed = await store.listOutbox(10)
      assert.deepEqual(
        listed.map(({ eventId }) => eventId),
        ['e1', 'e3'],
      )
      const { event_id: name } = { event_id: 'e2', ...change }
      assert.deepEqual(forged, [`audit_outbox/${name}`, 'audit_outbox/e0'])
      const { position: _, ...columns } = genuine
      await at.set(columns).execute()
    }
    assert.equal((await store.listOutbox(10)).length, 3)
  })

  test(`${engine}: outbox rows are listed in their order and deleted by event id`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    const rows = ['e9', 'e1', 'e5'].map((eventId) => ({
      eventId,
      record: `{"eventID":"${eventId}"}`,
      stream: 'worker-0',
      segment: 3,
    }))
    for (const row of rows) await store.change((transaction) => transaction.insertOutbox(row))
    assert.deepEqual(await store.listOutbox(2), rows.slice(0, 2))
    await store.deleteOutbox(['e9', 'e5', 'absent'])
    await store.deleteOutbox([])
    assert.deepEqual(await store.listOutbox(10), [rows[1]])
  })

  test(`${engine}: a transaction that fails leaves nothing and is not run again`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    let runs = 0
    const failed = store.change(async (transaction) => {
      runs += 1
      await transaction.insertKey(newKey('k'))
      await transaction.insertOutbox({ eventId: 'e', record: '{}', stream: 's', segment: 1 })
      assert.notEqual(await transaction.findKey(newKey('k')), undefined)
      throw new StaleRow('decide again')
    })
    await assert.rejects(failed, StaleRow)
    assert.equal(runs, 1)
    assert.equal(await store.findKey(newKey('k')), undefined)
    assert.deepEqual(await store.listOutbox(1), [])
    assert.equal(store.epoch(), 1)
  })

  test(`${engine}: a transaction in conflict is run again, a bounded number of times`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const conflictUntil = (last: number) => {
      let runs = 0
      const change = store.change(async (transaction) => {
        runs += 1
        await transaction.insertKey(newKey(`k${last}`))
        if (runs < last) throw new TransactionConflict('another was first')
        return runs
      })
      return { change, runs: () => runs }
    }
    assert.equal(await conflictUntil(3).change, 3)
    assert.equal((await store.listKeys(accountId, region, { limit: 9 })).length, 1)
    const endless = conflictUntil(Number.POSITIVE_INFINITY)
    await assert.rejects(endless.change, TransactionConflict)
    assert.equal(endless.runs(), 5)
  })

  test(`${engine}: emptying keeps an account, its root user's access keys and the outbox`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    await store.change(async (transaction) => {
      await transaction.insertAlias(newAlias('alias/a', 'k'))
      await transaction.insertGrant(newGrant('a'.repeat(64), 'k'))
      await transaction.insertMaterial(newMaterial('aa', 'k', { accountId: otherAccountId }))
      await transaction.insertAccessKey(newAccessKey('kept'))
      await transaction.insertAccessKey(newAccessKey('a user', { principalKind: 'user' }))
      await transaction.insertAccessKey(newAccessKey('theirs', { accountId: otherAccountId }))
      await transaction.insertOutbox({ eventId: 'e', record: '{}', stream: 's', segment: 1 })
    })
    const before = store.epoch()
    await store.change((transaction) => transaction.empty({ accountId }))
    assert.notEqual(await store.findAccount(accountId), undefined)
    assert.notEqual(await store.findAccessKey('kept'), undefined)
    assert.equal((await store.listOutbox(9)).length, 1)
    assert.equal(await store.findAccount(otherAccountId), undefined)
    for (const gone of ['a user', 'theirs']) {
      assert.equal(await store.findAccessKey(gone), undefined)
    }
    assert.deepEqual(await store.listKeys(accountId, region, { limit: 9 }), [])
    assert.deepEqual(await store.listAliases(accountId, region, { limit: 9 }), [])
    assert.equal(await store.findMaterial('aa'), undefined)
    assert.equal(await store.findGrant(newGrant('a'.repeat(64), 'k')), undefined)
    assert.deepEqual(await store.changesSince(before), [
      { seq: before + 1, kind: 'everything', accountId: '', region: '', id: '' },
    ])
  })
}
