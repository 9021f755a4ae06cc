/** The PostgreSQL server of the tests. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installedPostgres } from './postgres-binaries.ts'
import { sharedServer, skip, testDatabase, testedVersions } from './shared-server.ts'

test('the tests have a PostgreSQL server of a supported version', { skip }, async (t) => {
  for (const version of testedVersions) {
    const database = await testDatabase(t, version)
    const [row] = await database.admin(`SELECT current_setting('server_version_num') AS number`)
    assert.equal(Math.floor(Number(row?.['number']) / 10_000), version)
    assert.ok(version >= 14 && version <= 18)
  }
})

test(
  'each test has an empty database, ordered by a language unless a column says otherwise',
  {
    skip,
  },
  async (t) => {
    for (const version of testedVersions) {
      const database = await testDatabase(t, version)
      const tables = await database.admin(
        `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
      )
      assert.deepEqual(tables, [])
      const [order] = await database.admin(`SELECT 'a' < 'B' AS of_language`)
      assert.deepEqual(order, { of_language: true })
    }
  },
)

test('files that need the same version share one server', { skip }, async () => {
  const [version = 0] = testedVersions
  const [one, other] = await Promise.all([sharedServer(version), sharedServer(version)])
  assert.equal(one.port, other.port)
})

test('the programs that are found are all of versions that Trent supports', { skip }, () => {
  for (const { version } of installedPostgres()) assert.ok(version >= 14, String(version))
})
