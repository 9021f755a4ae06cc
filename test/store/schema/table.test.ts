/** Descriptors of tables: what follows from them for every engine. @module */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountRecord } from '../../../src/model/access-key.ts'
import type { GrantRecord } from '../../../src/model/grant.ts'
import { addVersion } from '../../../src/store/schema/create-schema.ts'
import { accounts } from '../../../src/store/schema/accounts.ts'
import { trails } from '../../../src/store/schema/audit.ts'
import { grants } from '../../../src/store/schema/grants.ts'
import { users } from '../../../src/store/schema/identities.ts'
import { keys } from '../../../src/store/schema/keys.ts'
import { everyTable, type Schema } from '../../../src/store/schema/schema.ts'
import type { RecordTable, Table } from '../../../src/store/schema/table.ts'
import { newGrant, newKey, newTrail } from '../records.ts'

const tables: readonly Table[] = everyTable

test('a table comes after those that it refers to, and refers to whole primary keys', () => {
  const known = new Set<string>()
  for (const { name, references = [] } of tables) {
    for (const { to, columns } of references) {
      assert.ok(known.has(to.name), `${name} comes before ${to.name}`)
      assert.equal(columns.length, to.primaryKey.length, name)
    }
    known.add(name)
  }
})

test('names are unique, and short enough for every engine', () => {
  const names = tables.flatMap(({ name, references = [], indexes = [] }) => [
    name,
    `${name}_primary`,
    ...references.map(({ to }) => `${name}_to_${to.name}`),
    ...indexes.map((index) => index.name),
  ])
  assert.deepEqual(
    names.filter((name) => Buffer.byteLength(name) > 63),
    [],
  )
  assert.equal(new Set(names).size, names.length)
})

test('a kind of change with versions belongs to one table of bound rows', () => {
  const kinds = new Set<string>()
  for (const { name, columns, change } of tables) {
    if (change === undefined || change.withoutVersion) continue
    assert.ok('row_tag' in columns && 'row_version' in columns, name)
    assert.ok(!kinds.has(change.kind), change.kind)
    kinds.add(change.kind)
  }
  assert.ok(kinds.size >= 12)
})

/** Rows without members that are absent, and with all of them. */
function returns<Rec extends object>(table: RecordTable<Rec>, ...records: readonly Rec[]): void {
  for (const record of records) {
    const row = table.toRow(record)
    const names = Object.keys(table.columns).filter((name) => name !== 'row_tag')
    assert.deepEqual(Object.keys(row).toSorted(), names.toSorted())
    assert.deepEqual(table.toRecord({ ...row, row_tag: new Uint8Array() }), record)
  }
}

test('a record is the same after it was a row', () => {
  const rowVersion = 3
  returns(keys, { ...newKey('k'), rowVersion }, { ...newKey('k', { deletionDate: 5 }), rowVersion })
  returns(
    trails,
    { ...newTrail('t'), rowVersion },
    { ...newTrail('t', { isLogging: false }), rowVersion },
  )
  const organization = {
    organizationId: 'o-a1b2c3d4e5',
    serviceControlPolicies: [['{}']],
    resourceControlPolicies: [],
  }
  const account: AccountRecord = { accountId: '111122223333', createdAt: 1, rowVersion }
  returns(accounts, account, { ...account, organization }, { ...account, alias: 'a' })
  returns(accounts, { ...account, organization: { ...organization, unit: 'r-ab12' } })
  const grant = { ...newGrant('a'.repeat(64), 'k'), rowVersion }
  const { granteePrincipal: _, granteeId: __, ...granted } = grant
  const ofService: GrantRecord = {
    ...granted,
    name: 'n',
    granteeServicePrincipal: 's3.amazonaws.com',
    retiringServicePrincipal: 'ec2.amazonaws.com',
    constraints: { SourceArn: 'arn:s' },
  }
  const retirable = { retiringPrincipal: 'arn:aws:iam::111122223333:root', retiringId: 'A' }
  returns(grants, grant, { ...grant, ...retirable }, ofService)
})

test('a column that is composed follows from the record', () => {
  const user = {
    userId: 'AIDAa',
    accountId: '111122223333',
    name: 'Ada',
    path: '/',
    groups: [],
    inlinePolicies: {},
    attachedPolicies: [],
    tags: [],
    createdAt: 1,
    rowVersion: 1,
  }
  assert.equal(users.toRow(user).folded_name, 'ada')
  returns(users, user)
})

test('the first schema is one of PostgreSQL, too', async () => {
  const statements: string[] = []
  const query = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: (event) => void statements.push(event.query.sql),
  })
  await addVersion(query, 'postgresql', tables, 1)
  const all = statements.join('\n')
  assert.doesNotMatch(all, /strict|rowid|autoincrement|blob|\binteger\b/)
  const aliases = statements.find((text) => text.startsWith('create table "aliases"'))
  assert.equal(
    aliases,
    'create table "aliases" ("account_id" text collate "C" not null, "region" text collate "C" not null, ' +
      '"name" text collate "C" not null, "target_key_id" text collate "C" not null, ' +
      '"created_at" bigint not null, "updated_at" bigint not null, "row_version" bigint not null, ' +
      '"row_tag" bytea not null, ' +
      'constraint "aliases_primary" primary key ("account_id", "region", "name"), ' +
      'constraint "aliases_to_keys" foreign key ("account_id", "region", "target_key_id") ' +
      'references "keys" ("account_id", "region", "key_id")) ',
  )
  assert.match(all, /"position" bigserial primary key/)
  assert.match(all, /create index "keys_to_delete" .* where "deletion_date" is not null/)
})
