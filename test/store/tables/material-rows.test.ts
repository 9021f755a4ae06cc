/** The bytes of materials: deleted, restored, and scrubbed from the files, on every engine. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { engines, storeOf, temporaryFolder } from '../engines.ts'
import { skip, testDatabase, testedVersions } from '../postgres/shared-server.ts'
import { templateWithTables } from '../postgres/template.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newKey,
  newMaterial,
  newMaterialState,
  otherRegion,
  region,
} from '../records.ts'

const materialId = 'a'.repeat(64)
const ref = { accountId, region, keyId: 'mrk-1', materialId }
const there = { ...ref, region: otherRegion }

async function fill(store: Store): Promise<void> {
  await insertAccounts(store)
  await insertKeys(store, newKey('mrk-1'), newKey('mrk-1', { region: otherRegion }))
  await store.change(async (transaction) => {
    await transaction.insertMaterial(newMaterial(materialId, 'mrk-1'))
    for (const place of [region, otherRegion]) {
      const members = { region: place, importState: 'IMPORTED' } as const
      await transaction.insertMaterialState(newMaterialState(materialId, 'mrk-1', members))
    }
  })
}

for (const { name: engine, open } of engines) {
  test(`${engine}: an emptied material still names its key, and can be refilled`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await fill(store)
    const full = await store.findMaterial(materialId)
    assert(full && full.wrapped.length > 0)
    const elsewhere = await store.findMaterialState(there)
    assert(elsewhere)
    // Another Region has it imported.
    await store.change((transaction) => transaction.emptyMaterial(ref))
    await store.change((transaction) => transaction.deleteMaterial(ref))
    assert.deepEqual(await store.findMaterial(materialId), full)
    await store.change((transaction) =>
      transaction.updateMaterialState(elsewhere, { importState: 'PENDING_IMPORT' }),
    )
    const before = store.epoch()
    await store.change((transaction) => transaction.emptyMaterial(ref))
    assert.deepEqual(await store.changesSince(before), [
      { seq: before + 1, kind: 'material', accountId, region, id: materialId },
    ])
    const empty = await store.findMaterial(materialId)
    assert.deepEqual({ ...empty, wrapped: full.wrapped }, full)
    assert.equal(empty?.wrapped.length, 0)
    const again = { ...full, region: otherRegion, wrappingVersion: 2, wrapped: randomBytes(60) }
    await store.change((transaction) => transaction.refillMaterial(again))
    const { wrapped, ...rest } = (await store.findMaterial(materialId)) ?? assert.fail()
    assert.deepEqual({ ...rest, wrapped: Buffer.from(wrapped) }, again)
    await store.change((transaction) => transaction.deleteMaterial(ref))
    assert.equal(await store.findMaterial(materialId), undefined)
  })

  test(`${engine}: only what is the key's own is emptied or deleted`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await fill(store)
    const full = await store.findMaterial(materialId)
    for (const other of [
      { ...ref, keyId: 'other' },
      { ...ref, accountId: '999999999999' },
    ]) {
      await store.change((transaction) => transaction.emptyMaterial(other))
      await store.change((transaction) => transaction.deleteMaterial(other))
    }
    assert.deepEqual(await store.findMaterial(materialId), full)
  })
}

for (const how of ['emptyMaterial', 'deleteMaterial'] as const) {
  test(`sqlite: after ${how} the bytes are in a file until a scrub removes them`, async (t) => {
    const folder = temporaryFolder(t)
    const database = await openDatabase({ path: join(folder, 'trent.db') })
    t.after(() => database.close())
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    const wrapped = randomBytes(400)
    const id = 'b'.repeat(64)
    await store.change((transaction) =>
      transaction.insertMaterial({ ...newMaterial(id, 'k'), wrapped }),
    )
    const found = (): boolean =>
      readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(wrapped))
    // A scrub with nothing to do does not touch the log.
    await store.scrub()
    assert.equal(found(), true)
    await store.change((transaction) =>
      transaction[how]({ accountId, region, keyId: 'k', materialId: id }),
    )
    assert.equal(found(), true)
    await store.scrub()
    assert.equal(found(), false)
  })
}

for (const how of ['emptyMaterial', 'deleteMaterial'] as const) {
  test(
    `postgresql: after ${how} the bytes are in a file until a scrub removes them`,
    { skip },
    async (t) => {
      for (const version of testedVersions) {
        const { url, admin } = await testDatabase(t, version, await templateWithTables(version))
        const database = await openDatabase({ path: '', url })
        t.after(() => database.close())
        const { store } = storeOf(database)
        await insertAccounts(store)
        await insertKeys(store, newKey('k'))
        // One stays in the page of its row; the other is stored in pieces, in another file.
        const secrets = [randomBytes(400), randomBytes(9000)]
        // VACUUM moves rows together, which may overwrite those that came before them.
        const kept = [randomBytes(400), randomBytes(9000)]
        for (const [index, wrapped] of [...kept, ...secrets].entries()) {
          const material = { ...newMaterial(String(index).repeat(64), 'k'), wrapped }
          await store.change((transaction) => transaction.insertMaterial(material))
        }
        const [place] = await admin(
          `SELECT current_setting('data_directory') || '/base/' || oid AS folder
          FROM pg_database WHERE datname = current_database()`,
        )
        const folder = String(place?.['folder'])
        const found = async (): Promise<readonly boolean[]> => {
          await admin('CHECKPOINT')
          const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
          return secrets.map((wrapped) =>
            files.some((bytes) => bytes.includes(wrapped.subarray(0, 390))),
          )
        }
        await store.scrub()
        assert.deepEqual(await found(), [true, true])
        for (const index of secrets.keys()) {
          const id = String(kept.length + index).repeat(64)
          await store.change((transaction) =>
            transaction[how]({ accountId, region, keyId: 'k', materialId: id }),
          )
        }
        await admin('VACUUM key_materials')
        assert.ok((await found()).includes(true), 'VACUUM alone would do')
        await store.scrub()
        assert.deepEqual(await found(), [false, false])
      }
    },
  )
}

test(
  'postgresql: a scrub that cannot have a table at once is left to the next',
  { skip },
  async (t) => {
    const [version = 0] = testedVersions
    const { url } = await testDatabase(t, version, await templateWithTables(version))
    const database = await openDatabase({ path: '', url })
    t.after(() => database.close())
    const { store } = storeOf(database)
    await database.query.transaction().execute(async (other) => {
      await other.selectFrom('key_materials').selectAll().execute()
      await store.scrub()
    })
    assert.equal(database.unscrubbed.take(), true)
    database.unscrubbed.raise()
    await store.scrub()
    assert.equal(database.unscrubbed.take(), false)
    const { rows } = await sql`SHOW lock_timeout`.execute(database.query)
    assert.deepEqual(rows, [{ lock_timeout: '10s' }])
  },
)
