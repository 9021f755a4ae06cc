/** Migrations: they run in order, each whole or not at all, and never back. @module */
import { sql } from 'kysely'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseTooNew } from '../../src/store/database.ts'
import { type Migration, migrate, migrations } from '../../src/store/migrations.ts'
import { engines } from './engines.ts'

const table = (name: string): Migration => ({
  name,
  up: (query) => query.schema.createTable(name).addColumn('id', 'integer').execute(),
})

for (const { name: engine, open } of engines) {
  test(`${engine}: each migration runs once, in order, and is recorded`, async (t) => {
    const { query } = (await open(t)).database
    const steps = [...migrations, table('second'), table('third')]
    await migrate(query, engine, steps.slice(0, -1))
    await migrate(query, engine, steps)
    await migrate(query, engine, steps)
    const recorded = await query.selectFrom('schema_migrations').selectAll().execute()
    assert.deepEqual(
      recorded,
      steps.map(({ name }, index) => ({ version: index + 1, name })),
    )
    await sql`SELECT * FROM second, third`.execute(query)
  })

  test(`${engine}: a migration that fails leaves nothing of itself`, async (t) => {
    const { query } = (await open(t)).database
    const failing: Migration = {
      name: 'failing',
      async up(transaction, of) {
        await table('half').up(transaction, of)
        throw new Error('no')
      },
    }
    await assert.rejects(
      migrate(query, engine, [...migrations, table('second'), failing]),
      /^Error: no$/,
    )
    const recorded = await query.selectFrom('schema_migrations').select('name').execute()
    assert.deepEqual(
      recorded.map(({ name }) => name),
      [...migrations.map(({ name }) => name), 'second'],
    )
    await assert.rejects(sql`SELECT * FROM half`.execute(query))
  })

  test(`${engine}: a database of a later version is refused in one line`, async (t) => {
    const { query } = (await open(t)).database
    await migrate(query, engine, [...migrations, table('second')])
    await assert.rejects(migrate(query, engine, migrations), (error) => {
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
