/** What `trent verify-database` finds in PostgreSQL, while the server runs. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateAliasCommand, CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { verifyIn } from './verified.ts'

/** A change, how it is undone, and what is found of it. */
const changes: readonly (readonly [change: string, undo: string, found: RegExp])[] = [
  [
    `UPDATE keys SET state = 'Disabled'`,
    `UPDATE keys SET state = 'Enabled'`,
    /^BROKEN keys \d{12}\/us-west-2\/[0-9a-f-]{36}: its tag is wrong: someone else wrote it$/m,
  ],
  [
    `CREATE SCHEMA kept; CREATE TABLE kept.log AS TABLE change_log;
      DELETE FROM change_log WHERE seq > 2`,
    `INSERT INTO change_log SELECT * FROM kept.log WHERE seq > 2; DROP SCHEMA kept CASCADE`,
    /^BROKEN change_head \d+: the log of changes ends before it/m,
  ],
  [
    `SET session_replication_role = replica; CREATE SCHEMA kept;
      CREATE TABLE kept.k AS TABLE keys; DELETE FROM keys`,
    'SET session_replication_role = replica; INSERT INTO keys TABLE kept.k; DROP SCHEMA kept CASCADE',
    /^BROKEN aliases .*: it refers to a row of keys that does not exist$/m,
  ],
  [
    `CREATE SCHEMA kept; CREATE TABLE kept.k AS TABLE aliases; DELETE FROM aliases`,
    'INSERT INTO aliases TABLE kept.k; DROP SCHEMA kept CASCADE',
    /^BROKEN aliases .*alias\/a: it does not exist, and no change has deleted it$/m,
  ],
  [
    // As if damage had lost an entry of the index.
    `UPDATE pg_index SET indisready = false WHERE indexrelid = 'key_turns_primary'::regclass; COMMIT;
      INSERT INTO key_turns VALUES ('1', 'r', 'k', 1, 's', NULL, NULL); COMMIT;
      UPDATE pg_index SET indisready = true WHERE indexrelid = 'key_turns_primary'::regclass`,
    `SET enable_indexscan = off; SET enable_bitmapscan = off; DELETE FROM key_turns WHERE account_id = '1'`,
    /^BROKEN key_turns: it has \d+ rows, and an index of it has \d+$/m,
  ],
  [
    'CREATE TABLE extra (id bigint)',
    'DROP TABLE extra',
    /^BROKEN: .*the table extra is not part of it/m,
  ],
]

test(
  'a database in PostgreSQL is verified while its server runs, and each change is found',
  {
    skip,
  },
  async (t) => {
    for (const version of testedVersions) {
      let server: TestServer | undefined
      t.after(() => server?.stop()) // before its database is dropped
      const { url, admin } = await testDatabase(t, version)
      server = await startTestServer({ TRENT_DATABASE_URL: url })
      const kms = server.client()
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      const { KeyId } = KeyMetadata ?? {}
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyId }))
      await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
      const sealKey = join(server.directory, 'seal.key')
      const isWhole = async (): Promise<void> => {
        const { status, text } = await verifyIn({ url }, sealKey)
        assert.equal(status, 0, text)
        assert.match(text, /^whole: \d+ rows with a genuine tag, 2 wrapped keys and secrets that/m)
        assert.match(text, /^postgres:\/\/127\.0\.0\.1:\d+\/t_\w+$/m)
      }
      await isWhole()
      for (const [change, undo, found] of changes) {
        // A session of its own for each part: a session remembers indexes.
        for (const part of change.split('COMMIT;')) await admin(part)
        const { status, text } = await verifyIn({ url }, sealKey)
        assert.equal(status, 1, `${change}: ${text}`)
        assert.match(text, found)
        assert.match(text, /\nNOT WHOLE\n$/)
        await admin(undo)
      }
      await isWhole()
    }
  },
)

test('a database in PostgreSQL that cannot be read is told in one line', { skip }, async (t) => {
  const nobody = await verifyIn({ url: 'postgres://trent:hunter2@127.0.0.1:1/trent' }, '/none')
  assert.equal(nobody.status, 2)
  assert.match(nobody.text, /^cannot verify [^\n]+: no primary could be reached: [^\n]+\n$/)
  assert.ok(!nobody.text.includes('hunter2'))
  const { url } = await testDatabase(t, testedVersions[0] ?? 0)
  const empty = await verifyIn({ url }, '/none')
  assert.equal(empty.status, 1)
  assert.match(empty.text, /\nBROKEN: it is empty\nNOT WHOLE\n$/)
})
