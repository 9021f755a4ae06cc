/** A database with a changed schema is refused at the start, in one line. @module */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { sql } from 'kysely'
import {
  DatabaseTooNew,
  DatabaseTooOld,
  SchemaChanged,
  StatementFailed,
} from '../../../src/store/database.ts'
import { expectedSchema } from '../../../src/store/verify/expected-schema.ts'
import { migrations } from '../../../src/store/migrations.ts'
import { openDatabase } from '../../../src/store/open.ts'
import { storeOf, temporaryFolder } from '../engines.ts'
import { insertAccounts, insertKeys, newAlias, newKey } from '../records.ts'

/** A closed database with a key and an alias, after `change`. */
async function changedDatabase(t: TestContext, ...change: readonly string[]): Promise<string> {
  const path = join(temporaryFolder(t), 'trent.db')
  const database = await openDatabase({ path })
  const { store } = storeOf(database)
  await insertAccounts(store)
  await insertKeys(store, newKey('k1'))
  await store.change((transaction) => transaction.insertAlias(newAlias('alias/payments', 'k1')))
  await database.close()
  const file = new DatabaseSync(path, { defensive: false, enableForeignKeyConstraints: false })
  for (const statement of change) file.exec(statement)
  file.close()
  return path
}

/** Replaces text in the stored definition of one table or index. */
const redefined = (name: string, from: string, to: string): readonly string[] => [
  'PRAGMA writable_schema = ON',
  `UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}') WHERE name = '${name}'`,
  'PRAGMA writable_schema = RESET',
]

const changes: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'a trigger that undoes a revocation',
    [`CREATE TRIGGER undo BEFORE DELETE ON grants BEGIN SELECT RAISE(IGNORE); END`],
    /the trigger `undo` is not part of it/,
  ],
  [
    'a trigger that puts an older row back',
    [
      `CREATE TRIGGER back AFTER UPDATE ON keys BEGIN UPDATE keys SET state = OLD.state,
         row_version = OLD.row_version, row_tag = OLD.row_tag WHERE key_id = OLD.key_id; END`,
    ],
    /the trigger `back`/,
  ],
  [
    'a table and a trigger that keep copies of deleted material',
    [
      'CREATE TABLE copies (wrapped BLOB)',
      'CREATE TRIGGER keep BEFORE DELETE ON key_materials BEGIN INSERT INTO copies VALUES (OLD.wrapped); END',
    ],
    /the trigger `keep`/,
  ],
  ['another table', ['CREATE TABLE copies (wrapped BLOB)'], /the table `copies` is not part of it/],
  ['another index', ['CREATE INDEX more ON keys (state)'], /the index `more` is not part of it/],
  [
    'a view in the place of a table',
    [
      'ALTER TABLE aliases RENAME TO real_aliases',
      'CREATE VIEW aliases AS SELECT * FROM real_aliases',
    ],
    /the view `aliases`/,
  ],
  [
    'a view in the place of the versions',
    [
      'ALTER TABLE schema_migrations RENAME TO v',
      'CREATE VIEW schema_migrations AS SELECT * FROM v',
    ],
    /the view `schema_migrations`/,
  ],
  [
    'a view in the place of the change number',
    ['DROP TABLE change_head', 'CREATE VIEW change_head AS SELECT 1 AS id, 0 AS seq'],
    /the view `change_head`/,
  ],
  [
    'a collation of a column',
    redefined('aliases', '"name" text not null', '"name" text not null collate nocase'),
    /the table `aliases` is defined differently/,
  ],
  [
    'a default',
    redefined('audit_outbox', '"row_tag" blob', '"row_tag" blob default 1'),
    /the table `audit_outbox` is defined differently/,
  ],
  [
    'a foreign key that deletes',
    redefined(
      'aliases',
      '("account_id", "region", "key_id"))',
      '("account_id", "region", "key_id") on delete cascade)',
    ),
    /the table `aliases` is defined differently/,
  ],
  [
    'an index that leaves rows out',
    [
      'DROP INDEX grants_by_grantee_id',
      "CREATE INDEX grants_by_grantee_id ON grants (grantee_id) WHERE grantee_id <> 'x'",
    ],
    /the index `grants_by_grantee_id` is defined differently/,
  ],
  ['an index less', ['DROP INDEX grants_by_grantee_id'], /`grants_by_grantee_id` is missing/],
  ['a table less', ['DROP TABLE key_usage_tracking'], /`key_usage_tracking` is missing/],
  ['no versions', ['DROP TABLE schema_migrations'], /`schema_migrations` is missing/],
  [
    'an earlier version than the tables have',
    ['DELETE FROM schema_migrations'],
    / is not part of it/,
  ],
  [
    'a name that would begin a second line',
    ['CREATE TABLE "a\n\u202eb" (x)'],
    /the table `a\?\?b` is not part of it/,
  ],
  ['statistics that choose indexes', ['ANALYZE'], /the table `sqlite_stat1` is not part of it/],
]

for (const [what, change, expected] of changes) {
  test(`a database with ${what} is refused in one line`, async (t) => {
    const path = await changedDatabase(t, ...change)
    const before = readFileSync(path)
    await assert.rejects(openDatabase({ path }), (error) => {
      assert.ok(error instanceof SchemaChanged, String(error))
      assert.match(error.message, /^the schema of trent\.db was changed: [ -~]+; restore [ -~]+$/)
      assert.match(error.message, expected)
      return true
    })
    assert.deepEqual(readFileSync(path), before)
  })
}

test('a database with an unchanged schema opens, and so does one without any version yet', async (t) => {
  const path = await changedDatabase(t)
  const database = await openDatabase({ path })
  assert.notEqual(
    await storeOf(database).store.findAlias(newAlias('alias/payments', 'k1')),
    undefined,
  )
  await database.close()
  for (const version of [0, migrations.length]) {
    const earlier = join(temporaryFolder(t), 'trent.db')
    const file = new DatabaseSync(earlier)
    // Indexes stand before tables in a schema's order.
    for (const entry of (await expectedSchema(version)).toReversed()) {
      if (entry.sql !== null && entry.name !== 'sqlite_sequence') file.exec(entry.sql)
    }
    for (const [index, { name }] of migrations.slice(0, version).entries()) {
      file.prepare('INSERT INTO schema_migrations VALUES (?, ?)').run(index + 1, name)
    }
    file.close()
    await (await openDatabase({ path: earlier })).close()
  }
})

test('a database from before the first schema is refused in one line, and not changed', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  const file = new DatabaseSync(path)
  file.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE "schema_migrations" ("version" integer primary key, "name" text not null) strict;
    INSERT INTO schema_migrations VALUES (1, 'first-tables');
    CREATE TABLE "deployment" ("id" integer primary key) strict`)
  file.close()
  const before = readFileSync(path)
  await assert.rejects(openDatabase({ path }), (error) => {
    assert.ok(error instanceof DatabaseTooOld)
    assert.match(
      error.message,
      /^trent\.db was written by an unreleased version [ -~]+ new data directory$/,
    )
    return true
  })
  assert.deepEqual(readFileSync(path), before)
})

test('a database of a later version is refused as that, not as changed', async (t) => {
  const later = migrations.length + 1
  const path = await changedDatabase(t, `INSERT INTO schema_migrations VALUES (${later}, 'later')`)
  await assert.rejects(openDatabase({ path }), DatabaseTooNew)
})

test('what a trigger or a view accesses is refused in an open database too', async (t) => {
  const database = await openDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  const { query } = database
  await sql`CREATE TRIGGER t AFTER INSERT ON change_head BEGIN DELETE FROM keys; END`.execute(query)
  await sql`CREATE VIEW v AS SELECT * FROM keys`.execute(query)
  await assert.rejects(
    query.insertInto('change_head').values({ id: 7, seq: 1, change_id: '' }).execute(),
    StatementFailed,
  )
  await assert.rejects(sql`SELECT count(*) FROM v`.execute(query), StatementFailed)
  await query.selectFrom('keys').selectAll().execute()
})

/**
 * A released version never changes. If only the text of a definition changes, as by another version of
 * Kysely, databases in use would be refused: then the comparison must learn that both are the same.
 */
test('the schema of each version is the one that was released', async () => {
  const file = join(import.meta.dirname, '../../vectors/database-schemas.json')
  const released = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
  const made: Record<string, string> = {}
  for (const [index, { name }] of migrations.entries()) {
    const schema = await expectedSchema(index + 1)
    made[`${index + 1} ${name}`] = createHash('sha256').update(JSON.stringify(schema)).digest('hex')
  }
  assert.deepEqual(made, released)
})
