/** Migrations: they run in order, each whole or not at all, and never back. @module */
import { type Kysely, sql } from 'kysely'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseTooNew } from '../../src/store/database.ts'
import { type Migration, migrate, migrations } from '../../src/store/migrations.ts'
import { number, optional, since, text } from '../../src/store/schema/columns.ts'
import { everyTable, type Schema } from '../../src/store/schema/schema.ts'
import { table, type Table } from '../../src/store/schema/table.ts'
import { engines } from './engines.ts'

/** The version after the last. */
const version = migrations.length + 1

/** A table as the descriptors of a later Trent have it: with a column and an index of the version after that. */
const notes = table({
  name: 'notes',
  columns: {
    note_id: text(),
    words: number(),
    language: since(version + 1, optional(text())),
  },
  primaryKey: ['note_id'],
  indexes: [
    { name: 'notes_by_words', columns: ['words'] },
    { name: 'notes_by_language', columns: ['language'], having: 'language', since: version + 1 },
  ],
  since: version,
})

const tables: readonly Table[] = [...everyTable, notes]

const insertNote = (id: string) => async (query: Kysely<Schema>) => {
  await sql`INSERT INTO notes (note_id, words) VALUES (${id}, 1)`.execute(query)
}

const second: Migration = { name: 'notes', fill: insertNote('from the second') }
const third: Migration = {
  name: 'languages',
  async fill(query) {
    await sql`UPDATE notes SET language = 'en'`.execute(query)
  },
}

for (const { name: engine, open } of engines) {
  test(`${engine}: each migration runs once, in order, and is recorded`, async (t) => {
    const { query } = (await open(t)).database
    const steps = [...migrations, second, third]
    await migrate(query, engine, { tables, steps: steps.slice(0, -1) })
    // What a version adds is not there before it.
    await assert.rejects(sql`SELECT language FROM notes`.execute(query), /language/)
    await migrate(query, engine, { tables, steps })
    await migrate(query, engine, { tables, steps })
    const recorded = await query.selectFrom('schema_migrations').selectAll().execute()
    assert.deepEqual(
      recorded,
      steps.map(({ name }, index) => ({ version: index + 1, name })),
    )
    // Rows of the second version are still there, with what the third has added.
    const { rows } = await sql`SELECT * FROM notes`.execute(query)
    assert.deepEqual(rows, [{ note_id: 'from the second', words: 1, language: 'en' }])
  })

  test(`${engine}: a new database and an older one get the same schema`, async (t) => {
    if (engine !== 'sqlite') return t.skip('each engine keeps its schema in its own way')
    const schemas: unknown[] = []
    const steps = [...migrations, second, third]
    const [before, after] = [version - 1, version + 1]
    for (const stops of [[after], [before, after], [before, version, after]]) {
      const { query } = (await open(t)).database
      for (const stop of stops)
        await migrate(query, engine, { tables, steps: steps.slice(0, stop) })
      const { rows } = await sql`SELECT name, sql FROM sqlite_schema ORDER BY name`.execute(query)
      schemas.push(rows)
    }
    assert.deepEqual(schemas[1], schemas[0])
    assert.deepEqual(schemas[2], schemas[0])
    assert.match(JSON.stringify(schemas[0]), /notes_by_language/)
  })

  test(`${engine}: a migration that fails leaves nothing of itself`, async (t) => {
    const { query } = (await open(t)).database
    const failing: Migration = {
      name: 'failing',
      async fill(transaction) {
        await insertNote('half')(transaction)
        throw new Error('no')
      },
    }
    const steps = [...migrations, second, failing]
    await assert.rejects(migrate(query, engine, { tables, steps }), /^Error: no$/)
    const recorded = await query.selectFrom('schema_migrations').select('name').execute()
    assert.deepEqual(
      recorded.map(({ name }) => name),
      [...migrations.map(({ name }) => name), 'notes'],
    )
    const { rows } = await sql`SELECT * FROM notes`.execute(query)
    assert.deepEqual(rows, [{ note_id: 'from the second', words: 1 }])
  })

  test(`${engine}: a database of a later version is refused in one line`, async (t) => {
    const { query } = (await open(t)).database
    await migrate(query, engine, { tables, steps: [...migrations, second] })
    await assert.rejects(migrate(query, engine), (error) => {
      assert.ok(error instanceof DatabaseTooNew)
      assert.equal(
        error.message,
        'the database was written by a later version of Trent: ' +
          `its schema is version ${migrations.length + 1}, and this one knows version ${migrations.length}`,
      )
      return true
    })
  })

  test(`${engine}: lists are answered from an index, without sorting`, async (t) => {
    if (engine !== 'sqlite') return t.skip('plans are worded by each engine in its own way')
    const { query } = (await open(t)).database
    const lists = [
      `keys WHERE account_id = '' AND region = '' AND key_id > '' ORDER BY key_id LIMIT 9`,
      `aliases WHERE account_id = '' AND region = '' AND name > '' ORDER BY name LIMIT 9`,
      `aliases WHERE account_id = '' AND region = '' AND target_key_id = '' AND name > ''
        ORDER BY name LIMIT 9`,
      `grants WHERE account_id = '' AND region = '' AND key_id = '' AND grant_id > ''
        ORDER BY grant_id LIMIT 9`,
      `grants WHERE account_id = '' AND region = '' AND key_id = '' AND grantee = ''
        AND grant_id > '' ORDER BY grant_id LIMIT 9`,
      `grants WHERE region = '' AND retiree = '' AND grant_id > '' ORDER BY grant_id LIMIT 9`,
      `grants WHERE account_id = '' AND region = '' AND key_id = '' AND request_digest = ''`,
      `key_materials WHERE account_id = '' AND key_id = '' ORDER BY ordinal`,
      `keys WHERE state = '' AND next_rotation_at <= 5
        ORDER BY next_rotation_at, account_id, region, key_id LIMIT 9`,
      `keys WHERE state = '' AND next_rotation_at <= 5
        AND (next_rotation_at, account_id, region, key_id) > (4, '', '', '')
        ORDER BY next_rotation_at, account_id, region, key_id LIMIT 9`,
      `keys WHERE transition_started_at <= 5
        AND (transition_started_at, account_id, region, key_id) > (4, '', '', '')
        ORDER BY transition_started_at, account_id, region, key_id LIMIT 9`,
      `keys WHERE account_id = '' AND key_id = '' AND primary_region IS NOT NULL ORDER BY region`,
      `keys WHERE on_demand_rotation_started_at <= 5
        AND (on_demand_rotation_started_at, account_id, region, key_id) > (4, '', '', '')
        ORDER BY on_demand_rotation_started_at, account_id, region, key_id LIMIT 9`,
      `material_states WHERE account_id = '' AND region = '' AND key_id = '' AND ordinal > 0
        ORDER BY ordinal LIMIT 9`,
      `material_states WHERE valid_to <= 5
        AND (valid_to, account_id, region, key_id, material_id) > (4, '', '', '', '')
        ORDER BY valid_to, account_id, region, key_id, material_id LIMIT 9`,
      `users WHERE account_id = '' AND name > '' ORDER BY name LIMIT 9`,
      `managed_policies WHERE account_id = '' AND name > '' ORDER BY name LIMIT 9`,
      `access_keys WHERE principal_id = '' ORDER BY access_key_id`,
      `change_log WHERE seq > 5 ORDER BY seq, position LIMIT 9`,
    ]
    for (const list of lists) {
      const plan = await sql<{ detail: string }>`
        EXPLAIN QUERY PLAN SELECT * FROM ${sql.raw(list)}`.execute(query)
      assert.equal(plan.rows.length, 1, JSON.stringify(plan.rows))
      assert.match(plan.rows[0]?.detail ?? '', /^SEARCH .* USING (COVERING )?INDEX/)
    }
  })
}
