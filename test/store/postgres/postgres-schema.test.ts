/** The check of the schema at start. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SchemaChanged } from '../../../src/store/database.ts'
import { openDatabase } from '../../../src/store/open.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'
import { templateWithTables } from './template.ts'

/** What somebody else may do to the schema, and how it is undone. The refusal names the object. */
const changes: readonly (readonly [change: string, undo: string, named: RegExp])[] = [
  ['CREATE TABLE extra (id bigint)', 'DROP TABLE extra', /table extra is not part of it/],
  ['CREATE VIEW odd AS SELECT 1 AS one', 'DROP VIEW odd', /view odd is not part of it/],
  [
    'ALTER TABLE keys RENAME TO k; CREATE VIEW keys AS SELECT * FROM k',
    'DROP VIEW keys; ALTER TABLE k RENAME TO keys',
    /is not part of it/,
  ],
  [
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    'DROP FUNCTION f',
    /function f is not part of it/,
  ],
  [
    `CREATE SCHEMA other; CREATE FUNCTION other.f() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN RETURN NULL; END'; CREATE TRIGGER t BEFORE UPDATE ON keys EXECUTE FUNCTION other.f()`,
    'DROP TRIGGER t ON keys; DROP SCHEMA other CASCADE',
    /trigger keys\.t is not part of it/,
  ],
  [
    'ALTER TABLE aliases DISABLE TRIGGER ALL',
    'ALTER TABLE aliases ENABLE TRIGGER ALL',
    /trigger aliases\.of a reference is not part of it/,
  ],
  [
    'CREATE RULE r AS ON DELETE TO grants DO INSTEAD NOTHING',
    'DROP RULE r ON grants',
    /table grants is defined differently/,
  ],
  [
    'ALTER TABLE keys ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE keys DISABLE ROW LEVEL SECURITY',
    /table keys is defined differently/,
  ],
  [
    'CREATE POLICY p ON keys USING (false)',
    'DROP POLICY p ON keys',
    /policy keys\.p is not part of it/,
  ],
  [
    'ALTER TABLE keys ALTER COLUMN state TYPE text COLLATE "en-x-icu"',
    'ALTER TABLE keys ALTER COLUMN state TYPE text COLLATE "C"',
    /column keys\.state is defined differently/,
  ],
  [
    `ALTER TABLE keys ALTER COLUMN state SET DEFAULT 'Enabled'`,
    'ALTER TABLE keys ALTER COLUMN state DROP DEFAULT',
    /column keys\.state is defined differently/,
  ],
  [
    'ALTER TABLE keys ALTER COLUMN state DROP NOT NULL',
    'ALTER TABLE keys ALTER COLUMN state SET NOT NULL',
    /column keys\.state is defined differently/,
  ],
  [
    `ALTER TABLE keys ADD CONSTRAINT odd CHECK (state <> 'Disabled')`,
    'ALTER TABLE keys DROP CONSTRAINT odd',
    /constraint keys\.odd is not part of it/,
  ],
  ['CREATE INDEX odd ON keys (state)', 'DROP INDEX odd', /index keys\.odd is not part of it/],
  [
    'CREATE TABLE child () INHERITS (keys)',
    'DROP TABLE child',
    /(?:table keys is defined differently|child is not part of it)/,
  ],
  [
    'CREATE MATERIALIZED VIEW m AS SELECT 1 AS one',
    'DROP MATERIALIZED VIEW m',
    /relation m is not/,
  ],
  ['CREATE COLLATION odd FROM "C"', 'DROP COLLATION odd', /collation odd is not part of it/],
  [
    `DROP INDEX grants_by_request; CREATE INDEX grants_by_request ON grants
       (account_id COLLATE "en-x-icu", region, key_id, request_digest)`,
    `DROP INDEX grants_by_request; CREATE INDEX grants_by_request ON grants
       (account_id, region, key_id, request_digest)`,
    /index grants\.grants_by_request is defined differently/,
  ],
  [
    'ALTER SEQUENCE audit_outbox_position_seq INCREMENT -1 MINVALUE -9 START 1',
    'ALTER SEQUENCE audit_outbox_position_seq INCREMENT 1 NO MINVALUE',
    /sequence audit_outbox_position_seq is defined differently/,
  ],
  ['CREATE DOMAIN d AS text', 'DROP DOMAIN d', /type _?d is not part of it/],
  [
    'ALTER TABLE grants SET UNLOGGED',
    'ALTER TABLE grants SET LOGGED',
    /table grants is defined differently/,
  ],
  ['ALTER TABLE clock_mark RENAME TO clock', 'ALTER TABLE clock RENAME TO clock_mark', /clock/],
]

test(
  'a start refuses a schema that somebody else changed, and changes nothing',
  {
    skip,
  },
  async (t) => {
    for (const version of testedVersions) {
      const template = await templateWithTables(version)
      const { url, admin } = await testDatabase(t, version, template)
      for (const [change, undo, named] of changes) {
        await admin(change)
        await assert.rejects(
          openDatabase({ path: '', url }),
          (error: unknown) => error instanceof SchemaChanged && named.test(error.message),
          change,
        )
        await admin(undo)
      }
      const database = await openDatabase({ path: '', url })
      await database.close()
    }
  },
)

test('a database with the tables of another program is refused', { skip }, async (t) => {
  const [version = 0] = testedVersions
  const { url, admin } = await testDatabase(t, version)
  await admin('CREATE TABLE orders (id bigint)')
  await assert.rejects(openDatabase({ path: '', url }), SchemaChanged)
  assert.deepEqual(await admin(`SELECT relname FROM pg_class WHERE relname = 'keys'`), [])
})

test('a NOT NULL that old rows may break is refused', { skip }, async (t) => {
  const version = testedVersions.find((each) => each >= 18)
  if (version === undefined) return t.skip('only PostgreSQL 18 has it')
  const { url, admin } = await testDatabase(t, version, await templateWithTables(version))
  await admin(
    `ALTER TABLE keys ALTER COLUMN state DROP NOT NULL;
      ALTER TABLE keys ADD CONSTRAINT late NOT NULL state NOT VALID`,
  )
  await assert.rejects(openDatabase({ path: '', url }), /constraint keys\.late is not part of it/)
})
