/** The role and the database of the documentation, made by its statements as they are written. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openDatabase } from '../../../src/store/open.ts'
import { storeOf } from '../engines.ts'
import { insertAccounts, insertKeys, newKey } from '../records.ts'
import { installedPostgres } from './postgres-binaries.ts'
import { startPostgres } from './postgres-server.ts'
import { skip, testedVersions } from './shared-server.ts'
import { asSuperuser } from './superuser.ts'

const page = new URL('../../../docs/operations/postgresql.md', import.meta.url)
const password = 'of-this-test'

/** The statements of the page, by the database that they run in. */
function statements(): readonly (readonly [database: string, statement: string])[] {
  const [, block = ''] = /```sql\n(.*?)```/s.exec(readFileSync(page, 'utf8')) ?? []
  const [first = '', second = ''] = block.split('\\connect trent\n')
  const of = (database: string, text: string): readonly (readonly [string, string])[] =>
    text.split(';\n').flatMap((one) => (one.trim() === '' ? [] : [[database, one] as const]))
  return [...of('postgres', first.replace('…', password)), ...of('trent', second)]
}

test('the role of the documentation can run Trent, and nothing else', { skip }, async (t) => {
  for (const binaries of installedPostgres()) {
    if (!testedVersions.includes(binaries.version)) continue
    const server = await startPostgres(binaries)
    t.after(() => server.stop())
    const made = statements()
    assert.equal(made.length, 6)
    for (const [database, statement] of made) await asSuperuser(server, database, statement)

    const url = `postgres://trent:${password}@127.0.0.1:${server.port}/trent`
    const database = await openDatabase({ path: '', url })
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k'))
    await store.scrub()
    await database.close()
    // A second start finds the schema as it has made it.
    await (await openDatabase({ path: '', url })).close()

    const role = { ...server, superuser: 'trent', password }
    const refused = async (as: typeof role, statement: string): Promise<void> => {
      // Insufficient privilege; the words differ between versions.
      await assert.rejects(asSuperuser(as, 'trent', statement), { code: '42501' }, statement)
    }
    await refused(role, 'CREATE DATABASE other')
    await refused(role, 'CREATE ROLE other')
    await refused(role, 'SELECT * FROM pg_authid')
    await refused(role, "COPY keys TO '/tmp/keys'")
    await refused(role, "COPY keys TO PROGRAM 'true'")
    await refused(role, "CREATE TABLESPACE other LOCATION '/tmp'")
    await asSuperuser(server, 'postgres', `CREATE ROLE other LOGIN PASSWORD '${password}'`)
    await refused({ ...role, superuser: 'other' }, 'SELECT 1')
  }
})
