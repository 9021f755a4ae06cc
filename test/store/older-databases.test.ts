/**
 * Databases that earlier versions wrote: they open, and every row in them is still genuine.
 *
 * `test/vectors/databases/` gets one file with each release that changes the schema: the statements that
 * make a database of that version again, as `statementsOf` writes them, named `<version>.sql`. Its rows
 * have tags under the key of `engines.ts`. A file there is never changed.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { migrations } from '../../src/store/migrations.ts'
import { openDatabase } from '../../src/store/open.ts'
import { verifyTags } from '../../src/store/verify/verify-rows.ts'
import { requireSchema } from '../../src/store/verify/verify-structure.ts'
import { keyring, storeOf, temporaryFolder } from './engines.ts'
import {
  insertAccounts,
  insertKeys,
  newAccessKey,
  newAlias,
  newGrant,
  newKey,
  newMaterial,
  newMaterialState,
  newService,
  newTrail,
} from './records.ts'

const folder = join(import.meta.dirname, '../vectors/databases')
const stored = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.sql')) : []

/** A database of this version with rows of many tables. */
async function writeDatabase(path: string): Promise<void> {
  const database = await openDatabase({ path })
  const { store } = storeOf(database)
  await insertAccounts(store)
  await insertKeys(store, newKey('k1'), newKey('k2', { primaryRegion: 'us-west-2' }))
  const material = 'a'.repeat(64)
  await store.change(async (transaction) => {
    await transaction.insertAlias(newAlias('alias/payments', 'k1'))
    await transaction.insertMaterial(newMaterial(material, 'k1'))
    await transaction.insertMaterialState(newMaterialState(material, 'k1', { validTo: 9 }))
    await transaction.insertGrant(newGrant('b'.repeat(64), 'k1', { name: 'named' }))
    await transaction.insertAccessKey(newAccessKey('AKIA1'))
    await transaction.insertService(newService('s3.amazonaws.com'))
    await transaction.insertTrail(newTrail('trail'))
    const row = { eventId: 'e1', record: '{}', stream: 'main', segment: 1 }
    await transaction.insertOutbox(row)
  })
  await store.trackUsageSince(5)
  await database.close()
}

/** The statements that make the database again. */
function statementsOf(path: string): string {
  const file = new DatabaseSync(path, { readOnly: true })
  const entries = file.prepare(
    `SELECT type, name, sql FROM sqlite_schema
     WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY type DESC, name`,
  )
  const statements = entries.all().flatMap(({ type, name, sql }) => {
    if (type !== 'table') return [`${String(sql)};`]
    const columns = file.prepare(`SELECT name FROM pragma_table_info('${String(name)}')`).all()
    const values = columns
      .map((column) => `quote("${String(column['name'])}")`)
      .join(` || ', ' || `)
    const rows = file.prepare(`SELECT ${values} AS "values" FROM "${String(name)}"`).all()
    return [
      `${String(sql)};`,
      ...rows.map((row) => `INSERT INTO "${String(name)}" VALUES (${String(row['values'])});`),
    ]
  })
  file.close()
  return statements.join('\n')
}

async function opensWhole(t: TestContext, statements: string): Promise<void> {
  const path = join(temporaryFolder(t), 'trent.db')
  const file = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  file.exec(statements)
  file.close()
  const database = await openDatabase({ path })
  t.after(() => database.close())
  assert.deepEqual(await requireSchema(database.query, 'sqlite'), [])
  const { findings, genuine } = await verifyTags(database.query, keyring)
  assert.deepEqual(findings, [])
  assert.ok(genuine >= 20, String(genuine))
  const { store, forged } = storeOf(database)
  const found = await store.findKey(newKey('k1'))
  assert.deepEqual(found, { ...newKey('k1'), rowVersion: 1 })
  assert.equal((await store.findAlias(newAlias('alias/payments', 'k1')))?.targetKeyId, 'k1')
  assert.equal((await store.listGrants(newKey('k1'), { limit: 9 })).length, 1)
  const updated = await store.change((transaction) =>
    transaction.updateKey(found ?? assert.fail(), { description: 'after' }),
  )
  assert.deepEqual(await store.findKey(newKey('k1')), updated)
  assert.deepEqual(forged, [])
}

test('a database that this version wrote is made again from its statements', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  await writeDatabase(path)
  await opensWhole(t, statementsOf(path))
})

for (const name of stored) {
  test(`a database of version ${name} opens, and its rows are genuine`, async (t) => {
    assert.ok(Number.parseInt(name, 10) <= migrations.length)
    await opensWhole(t, readFileSync(join(folder, name), 'utf8'))
  })
}
