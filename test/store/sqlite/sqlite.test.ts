/** The SQLite file: who may read it, how it is synced, what is left in it. @module */
import { sql } from 'kysely'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DatabaseInUse, StatementFailed } from '../../../src/store/database.ts'
import { openDatabase } from '../../../src/store/open.ts'
import { openSqlite } from '../../../src/store/sqlite/sqlite.ts'
import { storeOf, temporaryFolder } from '../engines.ts'
import { insertAccounts, newMaterial } from '../records.ts'

test('the file and its log are for their owner only, whatever the umask and the mode were', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'trent.db')
  const mask = process.umask(0)
  t.after(() => process.umask(mask))
  const modes = (): readonly string[] =>
    readdirSync(folder).map((name) => {
      const { mode } = statSync(join(folder, name))
      return `${name} ${(mode & 0o777).toString(8)}`
    })
  const first = await openDatabase({ path })
  assert.deepEqual(modes(), ['trent.db 600', 'trent.db-wal 600'])
  await first.close()
  assert.deepEqual(modes(), ['trent.db 600'])
  chmodSync(path, 0o644)
  const second = await openDatabase({ path })
  t.after(() => second.close())
  assert.deepEqual(modes(), ['trent.db 600', 'trent.db-wal 600'])
})

test('every setting that durability and safety rest on is in force', async (t) => {
  const database = await openDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  const expected = {
    journal_mode: 'wal',
    synchronous: 2,
    locking_mode: 'exclusive',
    foreign_keys: 1,
    secure_delete: 1,
    trusted_schema: 0,
    cell_size_check: 1,
    temp_store: 2,
  }
  for (const [name, value] of Object.entries(expected)) {
    const { rows } = await sql<Record<string, unknown>>`PRAGMA ${sql.raw(name)}`.execute(
      database.query,
    )
    assert.deepEqual(rows, [{ [name]: value }])
  }
})

test('a file that is open is refused to this process and to others, and then given', async (t) => {
  const path = join(temporaryFolder(t), 'trent.db')
  const database = await openDatabase({ path })
  const { store } = storeOf(database)
  const openElsewhere = (): string => {
    const child = join(import.meta.dirname, '../opening-process.ts')
    const { stdout, stderr } = spawnSync(process.execPath, [child, path], { encoding: 'utf8' })
    assert.equal(stderr, '')
    return stdout
  }
  assert.equal(openElsewhere(), 'DatabaseInUse: the database is in use by another process\n')
  await assert.rejects(openDatabase({ path }), DatabaseInUse)
  // The refusal in this process has not dropped its lock, and has harmed nothing.
  assert.equal(openElsewhere(), 'DatabaseInUse: the database is in use by another process\n')
  await insertAccounts(store)
  await database.close()
  assert.equal(openElsewhere(), 'open\n')
  const again = await openDatabase({ path })
  t.after(() => again.close())
  assert.equal(again.epoch(), 1)
})

test('a folder that is not there and a file that is no database are refused', async (t) => {
  const folder = temporaryFolder(t)
  await assert.rejects(openDatabase({ path: join(folder, 'absent', 'trent.db') }), StatementFailed)
  await assert.rejects(openDatabase({ path: import.meta.filename }), /not a database/)
})

test('deleted material is in no file after the close', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'trent.db')
  const wrapped = Buffer.from('bytes that shall be gone '.repeat(20))
  const isOnDisk = (): boolean =>
    readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes('shall be gone'))
  const first = await openDatabase({ path })
  const { store } = storeOf(first)
  await insertAccounts(store)
  await store.change((transaction) =>
    transaction.insertMaterial(newMaterial('aa', 'k', { wrapped })),
  )
  await first.close()
  assert.equal(isOnDisk(), true)
  const second = await openDatabase({ path })
  await second.query.deleteFrom('key_materials').execute()
  await second.close()
  assert.equal(isOnDisk(), false)
})

test('statements beyond those kept prepared still run, and values keep their types', (t) => {
  const connection = openSqlite(join(temporaryFolder(t), 'trent.db'))
  t.after(() => connection.close())
  const values = [null, '', 'a\u0000é', -1, 2 ** 53 - 1, 2n ** 62n, new Uint8Array([0, 255])]
  for (let round = 0; round < 600; round += 1) {
    const names = values.map((_, index) => `? AS c${index}`)
    const { rows } = connection.run(`SELECT ${names.join()}, ${round % 300} AS n`, values)
    assert.deepEqual(Object.values(rows[0] ?? {}), [...values, round % 300])
  }
})
