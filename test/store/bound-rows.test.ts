/** An attacker who can write the database can only delete rows that decide something. @module */
import { sql } from 'kysely'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBoundRows, isBound } from '../../src/store/bound-rows.ts'
import type { Database } from '../../src/store/database.ts'
import type { ColumnKind } from '../../src/store/schema/columns.ts'
import { everyTable } from '../../src/store/schema/schema.ts'
import type { Table } from '../../src/store/schema/table.ts'
import { type Store, StaleRow } from '../../src/store/store.ts'
import { forgeries, type Forgery, type Value } from './forgeries.ts'
import { engines, keyring, storeOf } from './engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newAccessKey,
  newAlias,
  newExportedKey,
  newGrant,
  newKey,
  newMaterialState,
  newProxyCredential,
  newServedProxy,
  newService,
  newTrail,
  otherAccountId,
  otherProxyId,
  otherRegion,
  region,
} from './records.ts'

async function fill(store: Store): Promise<void> {
  await insertAccounts(store)
  const replicas = [{ accountId: otherAccountId }, { region: otherRegion }]
  const targets = [newKey('k2'), ...replicas.map((place) => newKey('k2', place))]
  await insertKeys(store, newKey('k1'), newKey('k3'), ...targets)
  await store.change(async (transaction) => {
    await transaction.insertAccount({
      accountId: '777777777777',
      organization: {
        organizationId: 'o-a1b2c3d4e5',
        unit: 'r-ab12',
        serviceControlPolicies: [['{}']],
        resourceControlPolicies: ['{}'],
      },
      createdAt: 1,
    })
    await transaction.insertAccessKey(newAccessKey('AKIA1'))
    await transaction.insertAlias(newAlias('alias/a', 'k2'))
    await transaction.insertMaterialState(newMaterialState('a'.repeat(64), 'k2'))
    const constraints = { EncryptionContextEquals: { a: 'b' } }
    await transaction.insertGrant(newGrant('a'.repeat(64), 'k2', { constraints }))
    await transaction.insertTrail(newTrail('forged-trail'))
    await transaction.insertService(newService('s3.amazonaws.com'))
    await transaction.insertServedProxy(newServedProxy())
    await transaction.insertServedProxy(newServedProxy({ proxyId: otherProxyId, name: 'other' }))
    await transaction.insertProxyCredential(newProxyCredential('ABCDEFGHIJKLMNOPQRST'))
    await transaction.insertExportedKey(newExportedKey('k1'))
  })
}

async function rowAt(
  { query }: Database,
  { table, where }: Pick<Forgery, 'table' | 'where'>,
): Promise<Readonly<Record<string, Value>>> {
  const conditions = Object.entries(where).map(([name, value]) => sql`${sql.ref(name)} = ${value}`)
  const { rows } = await sql<Record<string, Value>>`
    SELECT * FROM ${sql.table(table)} WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${sql.ref('row_tag')}`.execute(query)
  const [row] = rows
  assert.ok(row !== undefined)
  return row
}

async function overwrite(
  { query }: Database,
  table: string,
  at: Readonly<Record<string, Value>>,
  values: Readonly<Record<string, Value>>,
): Promise<void> {
  const set = Object.entries(values).map(([name, value]) => sql`${sql.ref(name)} = ${value}`)
  await sql`UPDATE ${sql.table(table)} SET ${sql.join(set)}
    WHERE ${sql.ref('row_tag')} = ${at['row_tag']}`.execute(query)
}

/** A value of each kind of column, and another one. */
const valuesOf: Readonly<Record<Exclude<ColumnKind, 'counter'>, readonly [Value, Value]>> = {
  text: ['a', 'b'],
  json: ['[]', '{}'],
  number: [1, 2],
  flag: [0, 1],
  bytes: [Buffer.of(1), Buffer.of(2)],
}

test('the tag of every bound table covers its name and each of its columns', () => {
  const reported: string[] = []
  const rows = createBoundRows(keyring, (table) => void reported.push(table))
  const bound = everyTable.filter((table: Table) => isBound(table))
  assert.ok(bound.length >= 27)
  for (const table of bound as readonly Table[]) {
    const sealed = Object.entries(table.columns).flatMap(([name, { kind }]) =>
      kind === 'counter' || name === 'row_tag' ? [] : [[name, valuesOf[kind]] as const],
    )
    const values = Object.fromEntries(sealed.map(([name, [value]]) => [name, value]))
    const row = rows.seal(table, values)
    assert.ok(rows.isGenuine(table, row, []), table.name)
    assert.equal(reported.length, 0)
    const { row_tag: _, ...untagged } = row
    const changed = sealed.flatMap(([name, [, other]]) => [
      { ...row, [name]: other },
      { ...row, [name]: null },
    ])
    for (const forged of [untagged, ...changed, { ...row, further: 'a' }]) {
      assert.ok(!rows.isGenuine(table, forged, []), table.name)
    }
    const elsewhere = bound.find(({ name }) => name !== table.name) ?? table
    assert.ok(!rows.isGenuine(elsewhere, row, []), table.name)
    assert.equal(reported.length, changed.length + 3)
    reported.length = 0
  }
})

for (const { name: engine, open } of engines) {
  for (const forgery of forgeries) {
    const { table, columns, find } = forgery

    test(`${engine}: ${table}: a row with any one column forged is absent and reported`, async (t) => {
      const { database } = await open(t)
      const { store, forged } = storeOf(database)
      await fill(store)
      const row = await rowAt(database, forgery)
      const names = Object.keys(row).filter((name) => name !== 'row_tag')
      assert.deepEqual(Object.keys(columns).toSorted(), names.toSorted())
      for (const name of names) {
        const value = columns[name] ?? null
        assert.notDeepEqual(value, row[name], name)
        await overwrite(database, table, row, { [name]: value })
        forged.length = 0
        assert.equal(await find(store, { ...row, [name]: value }), undefined, name)
        assert.equal(forged.length, 1, name)
        await overwrite(database, table, row, { [name]: row[name] ?? null })
        assert.notEqual(await find(store, row), undefined, name)
        assert.equal(forged.length, 1, name)
      }
    })

    test(`${engine}: ${table}: a tag with any one bit flipped, cut or empty does not hold`, async (t) => {
      const { database } = await open(t)
      const { store, forged } = storeOf(database)
      await fill(store)
      const row = await rowAt(database, forgery)
      const tag = row['row_tag']
      assert.ok(tag instanceof Uint8Array)
      const flipped = Array.from(tag, (byte, index) => tag.with(index, byte ^ 1))
      const wrong = [...flipped, tag.subarray(1), new Uint8Array()]
      let present = row
      for (const row_tag of wrong) {
        await overwrite(database, table, present, { row_tag })
        present = { ...row, row_tag }
        assert.equal(await find(store, row), undefined)
      }
      assert.equal(forged.length, wrong.length)
      assert.ok(forged.every((name) => name.startsWith(`${table}/`)))
    })
  }

  test(`${engine}: rows that change places are both absent`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await fill(store)
    const first = await rowAt(database, { table: 'keys', where: { key_id: 'k1' } })
    const second = await rowAt(database, { table: 'keys', where: { key_id: 'k3' } })
    const { key_id: firstId } = first
    const { key_id: secondId } = second
    await overwrite(database, 'keys', first, { key_id: 'between' })
    await overwrite(database, 'keys', second, { key_id: firstId ?? '' })
    await overwrite(database, 'keys', first, { key_id: secondId ?? '' })
    assert.equal(await store.findKey(newKey('k1')), undefined)
    assert.equal(await store.findKey(newKey('k3')), undefined)
    assert.deepEqual(forged, [`keys/${accountId}/${region}/k1`, `keys/${accountId}/${region}/k3`])
  })

  test(`${engine}: a row version that is rolled back or ahead does not hold`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await fill(store)
    const first = await store.findKey(newKey('k1'))
    assert.ok(first !== undefined)
    const second = await store.change((transaction) =>
      transaction.updateKey(first, { state: 'Disabled' }),
    )
    const row = await rowAt(database, { table: 'keys', where: { key_id: 'k1' } })
    for (const row_version of [1, 3, 0, -2]) {
      await overwrite(database, 'keys', row, { row_version })
      assert.equal(await store.findKey(first), undefined)
    }
    await overwrite(database, 'keys', row, { row_version: 2 })
    assert.deepEqual(await store.findKey(first), second)
  })

  test(`${engine}: a forged row is neither confirmed nor sealed anew by an update`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await fill(store)
    const key = await store.findKey(newKey('k1'))
    assert.ok(key !== undefined)
    const row = await rowAt(database, { table: 'keys', where: { key_id: 'k1' } })
    await overwrite(database, 'keys', row, { origin: 'EXTERNAL', policy: '{"forged":1}' })
    await assert.rejects(
      store.change((transaction) => transaction.confirmKey(key)),
      StaleRow,
    )
    assert.equal(forged.length, 1)
    const updated = await store.change((transaction) =>
      transaction.updateKey(key, { description: 'mine' }),
    )
    assert.deepEqual(await store.findKey(key), updated)
    assert.equal(updated.policy, key.policy)
    assert.equal(updated.origin, 'AWS_KMS')
  })

  test(`${engine}: forged rows do not shorten a page, and none is listed`, async (t) => {
    const { database } = await open(t)
    const { store, forged } = storeOf(database)
    await insertAccounts(store)
    const keys = Array.from({ length: 130 }, (_, index) => newKey(`k${1000 + index}`))
    await insertKeys(store, ...keys)
    await store.change(async (transaction) => {
      for (const { keyId } of keys) await transaction.insertAlias(newAlias(`alias/${keyId}`, keyId))
    })
    await sql`UPDATE ${sql.table('keys')} SET policy = '{}' WHERE key_id < 'k1120'`.execute(
      database.query,
    )
    await sql`UPDATE ${sql.table('aliases')} SET updated_at = 0 WHERE name < 'alias/k1120'`.execute(
      database.query,
    )
    const listed = await store.listKeys(accountId, region, { limit: 5 })
    const expected = ['k1120', 'k1121', 'k1122', 'k1123', 'k1124']
    assert.deepEqual(
      listed.map(({ keyId }) => keyId),
      expected,
    )
    assert.equal(forged.length, 120)
    const aliases = await store.listAliases(accountId, region, { limit: 5 })
    assert.deepEqual(
      aliases.map(({ targetKeyId }) => targetKeyId),
      expected,
    )
    assert.equal(forged.length, 240)
  })
}
