/** Rows that the query did not ask for: they are never used. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { StrayRow } from '../../src/store/database.ts'
import { engines, storeOf, type Opened } from './engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newAccessKey,
  newAlias,
  newGrant,
  newKey,
  newMaterial,
  region,
} from './records.ts'

/** Tables that compare text without regard to case, as after a changed schema or a damaged index. */
async function withoutCase(
  { database: { query, engine } }: Opened,
  ...tables: readonly string[]
): Promise<void> {
  if (engine === 'postgresql') {
    await sql.raw(withoutReferences).execute(query)
    await sql`CREATE COLLATION nocase
      (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`.execute(query)
    for (const table of tables) {
      const { rows } = await sql<{ readonly name: string }>`SELECT attname::text AS name
        FROM pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0
          AND atttypid = 'text'::regtype`.execute(query)
      for (const { name } of rows) {
        await query.schema
          .alterTable(table)
          .alterColumn(name, (column) => column.setDataType(sql`text COLLATE nocase`))
          .execute()
      }
    }
    return
  }
  await sql`PRAGMA foreign_keys = OFF`.execute(query)
  for (const table of tables) {
    const { rows } = await sql<{ readonly name: string; readonly type: string }>`
      SELECT name, type FROM pragma_table_info(${table})`.execute(query)
    const columns = rows.map(
      ({ name, type }) => `"${name}" ${type}${type === 'TEXT' ? ' COLLATE NOCASE' : ''}`,
    )
    await sql`CREATE TABLE other (${sql.raw(columns.join())})`.execute(query)
    await sql`INSERT INTO other SELECT * FROM ${sql.table(table)}`.execute(query)
    await sql`DROP TABLE ${sql.table(table)}`.execute(query)
    await sql`ALTER TABLE other RENAME TO ${sql.table(table)}`.execute(query)
  }
}

const withoutReferences = `DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace
  LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.of, one.conname); END LOOP;
END $$`

for (const { name: engine, open } of engines) {
  test(`${engine}: a row with a tag that was not asked for counts as forged`, async (t) => {
    const opened = await open(t)
    const { store, forged } = storeOf(opened.database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'), newKey('k2'))
    const key = newAccessKey('AKIA1')
    await store.change(async (transaction) => {
      await transaction.insertAlias(newAlias('alias/payments', 'k1'))
      await transaction.insertGrant(newGrant('a'.repeat(64), 'k1'))
      await transaction.insertAccessKey(key)
    })
    await withoutCase(opened, 'aliases', 'keys', 'grants', 'access_keys')
    assert.deepEqual(forged, [])
    assert.equal(await store.findAlias(newAlias('alias/PAYMENTS', 'k1')), undefined)
    assert.equal(await store.findKey({ accountId, region, keyId: 'K1' }), undefined)
    assert.equal(await store.findAccessKey('akia1'), undefined)
    const grant = { accountId, region, keyId: 'k1', grantId: 'A'.repeat(64) }
    assert.equal(await store.findGrant(grant), undefined)
    assert.equal(forged.length, 4)
    // A list of another Region's keys is not affected.
    assert.deepEqual(await store.listKeys(accountId, region.toUpperCase(), { limit: 9 }), [])
    assert.equal(forged.length, 6)
    assert.notEqual(await store.findAlias(newAlias('alias/payments', 'k1')), undefined)
    assert.notEqual(await store.findKey({ accountId, region, keyId: 'k1' }), undefined)
    assert.notEqual(await store.findAccessKey('AKIA1'), undefined)
    assert.equal((await store.listKeys(accountId, region, { limit: 9 })).length, 2)
    assert.equal(forged.length, 6)
  })

  test(`${engine}: a row without a tag that was not asked for ends its query`, async (t) => {
    const opened = await open(t)
    const { store } = storeOf(opened.database)
    await insertAccounts(store)
    const material = newMaterial('aa', 'k')
    await store.change((transaction) => transaction.insertMaterial(material))
    await withoutCase(opened, 'key_materials')
    assert.notEqual(await store.findMaterial('aa'), undefined)
    await assert.rejects(store.findMaterial('AA'), StrayRow)
    await assert.rejects(store.listMaterials(accountId, 'K'), StrayRow)
    // The deleted row exists again.
    await assert.rejects(
      store.change((transaction) => transaction.deleteMaterial({ ...material, materialId: 'AA' })),
      StrayRow,
    )
    assert.notEqual(await store.findMaterial('aa'), undefined)
  })

  test(`${engine}: conditions in lists, of bytes and of renamed columns are told apart`, async (t) => {
    const opened = await open(t)
    const { database } = opened
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'), newKey('k2'))
    await withoutCase(opened, 'keys')
    const keys = database.query.selectFrom('keys')
    const found = await keys
      .select(['key_id', 'region'])
      .where('key_id', 'in', ['k1', 'k2'])
      .execute()
    assert.equal(found.length, 2)
    await assert.rejects(
      keys.select('key_id').where('key_id', 'in', ['k1', 'K2']).execute(),
      StrayRow,
    )
    await assert.rejects(
      keys
        .select('region')
        .where((row) => row.and({ key_id: 'k1', region: 'US-WEST-2' }))
        .execute(),
      StrayRow,
    )
    const renamed = await keys.select('region as key_id').where('key_id', '=', 'k1').execute()
    assert.deepEqual(renamed, [{ key_id: region }])
    const tag = (await keys.select('row_tag').where('key_id', '=', 'k1').executeTakeFirstOrThrow())
      .row_tag
    const byTag = await keys.select(['row_tag', 'key_id']).where('row_tag', '=', tag).execute()
    assert.deepEqual(byTag, [{ row_tag: tag, key_id: 'k1' }])
    // Neither an update's new value nor the count of a group is a condition.
    const updated = await database.query
      .updateTable('keys')
      .set({ state: 'Disabled' })
      .where('state', '=', 'Enabled')
      .returning(['key_id', 'state'])
      .execute()
    assert.equal(updated.length, 2)
  })
}
