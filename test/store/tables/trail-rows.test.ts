/** Trails in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrailRecord } from '../../../src/model/trail.ts'
import { DuplicateRow, StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  newTrail,
  otherAccountId,
  otherRegion,
  region,
} from '../records.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: a trail is inserted once, changed and deleted by its version`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const given = newTrail('all', {
      prefix: 'p',
      kmsKeyId: 'k',
      topicArn: 't',
      stoppedAt: 4,
      selectors: [
        {
          readWriteType: 'WriteOnly',
          includeManagementEvents: true,
          excludedSources: ['kms.amazonaws.com'],
        },
      ],
    })
    await store.change((transaction) => transaction.insertTrail(given))
    const ref = { accountId, homeRegion: region, name: 'all' }
    const trail = (await store.findTrail(ref)) as TrailRecord // it was inserted
    assert.deepEqual(trail, { ...given, rowVersion: 1 })
    await assert.rejects(
      store.change((transaction) => transaction.insertTrail(newTrail('all'))),
      DuplicateRow,
    )
    const changed = await store.change((transaction) =>
      transaction.updateTrail(trail, { isLogging: false, prefix: undefined }),
    )
    assert.equal(changed.prefix, undefined)
    assert.deepEqual(await store.findTrail(ref), changed)
    const stale = [
      store.change((transaction) => transaction.updateTrail(trail, { isLogging: true })),
      store.change((transaction) => transaction.deleteTrail(trail)),
    ]
    for (const each of stale) await assert.rejects(each, StaleRow)
    await store.change((transaction) => transaction.deleteTrail(changed))
    assert.equal(await store.findTrail(ref), undefined)
    const kinds = (await store.changesSince(1))?.map(({ kind, id }) => `${kind} ${id}`)
    assert.deepEqual(kinds, Array(3).fill('trail all'))
  })

  test(`${engine}: trails are listed by account and page, and a forged one is absent`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertTrail(newTrail('b'))
      await transaction.insertTrail(newTrail('a'))
      await transaction.insertTrail(newTrail('a', { homeRegion: otherRegion }))
      await transaction.insertTrail(newTrail('a', { accountId: otherAccountId }))
    })
    const named = (trails: readonly TrailRecord[]) =>
      trails.map(({ homeRegion, name }) => `${homeRegion} ${name}`)
    const own = [`${otherRegion} a`, `${region} a`, `${region} b`]
    assert.deepEqual(named(await store.listTrails(accountId)), own)
    assert.deepEqual(named(await store.listEveryTrail({ limit: 9 })), [...own, `${region} a`])
    const after = `${accountId}/${region}/a`
    assert.deepEqual(named(await store.listEveryTrail({ limit: 1, after })), [`${region} b`])
    await database.query
      .updateTable('trails')
      .set({ bucket: 'mine' })
      .where('account_id', '=', otherAccountId)
      .execute()
    assert.deepEqual(await store.listTrails(otherAccountId), [])
    assert.deepEqual(named(await store.listEveryTrail({ limit: 9 })), own)
    assert.deepEqual(new Set(forged), new Set([`trails/${otherAccountId}/${region}/a`]))
  })
}
