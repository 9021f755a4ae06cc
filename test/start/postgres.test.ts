/** `trent serve` on PostgreSQL, from a shell. @module */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { startChangingProxy } from '../store/postgres/changing-proxy.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { eventually } from './node-process.ts'
import { refusal } from './refusal.ts'
import { end, freePort, serve, temporaryFolder, trentEnded } from './serve-process.ts'

const [version = 0] = testedVersions
const root = {
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const

function clientOf(t: { after: (work: () => void) => void }, endpoint: string): KMSClient {
  const client = new KMSClient({
    endpoint,
    region: 'us-west-2',
    maxAttempts: 1,
    credentials: { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' },
  })
  t.after(() => client.destroy())
  return client
}

test(
  'a server keeps its keys in PostgreSQL, through a kill and a new start',
  {
    skip,
  },
  async (t) => {
    const { url, admin } = await testDatabase(t, version)
    const folder = temporaryFolder(t)
    const settings = { ...root, TRENT_DATABASE_URL: url }
    const first = await serve(t, folder, settings)
    const client = clientOf(t, first.url)
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId
    const Plaintext = Buffer.from('hello')
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
    assert.equal(existsSync(join(folder, 'data', 'trent.db')), false)
    assert.deepEqual(await admin('SELECT count(*)::int AS n FROM keys'), [{ n: 1 }])

    await end(first, 'SIGKILL')
    const second = await serve(t, folder, settings)
    const decrypted = await clientOf(t, second.url).send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(decrypted.Plaintext ?? []), Plaintext)
    assert.deepEqual(await end(second, 'SIGTERM'), { code: 0, signal: null })

    // Another process holds the row that each change locks.
    const held = admin('BEGIN; SELECT 1 FROM change_head FOR UPDATE; SELECT pg_sleep(600); COMMIT')
    const cancelled = assert.rejects(held, /canceling statement/)
    const sleeps = `FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`
    await eventually(30_000, async () => (await admin(`SELECT pid ${sleeps}`)).length > 0)
    // Each attempt would wait for the ten seconds of the server's own limit.
    let shortened = 0
    const port = await startChangingProxy(t, Number(new URL(url).port), (sent) =>
      sent.replace(/(?<= lock_timeout=)\d+/, (ms) => {
        shortened += 1
        return '300'.padEnd(ms.length)
      }),
    )
    const impatient = url.replace(/:\d+\/(?=[^/]+$)/, `:${port}/`)
    // Behind what the journal logs.
    const { code, stdout, stderr } = await trentEnded(
      t,
      ['serve'],
      { ...freePort(folder), ...settings, TRENT_DATABASE_URL: impatient },
      folder,
    )
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, stderr)
    assert.match(stderr, /^trent: the database cannot be used: .+ lock timeout\n$/m)
    assert.ok(shortened > 0)
    await admin(`SELECT pg_cancel_backend(pid) ${sleeps}`)
    await cancelled

    // The data directory of another deployment, and none, do not go with this database.
    const elsewhere = temporaryFolder(t)
    const embedded = await serve(t, elsewhere, root)
    await end(embedded, 'SIGTERM')
    assert.match(await refusal(t, elsewhere, settings), /^the database is of deployment .+ belong/)
  },
)

test('a database that cannot be reached or used is told in one line', async (t) => {
  const refused = (url: string): Promise<string> =>
    refusal(t, temporaryFolder(t), { TRENT_DATABASE_URL: url })
  const nobody = await refused('postgres://trent:hunter2@127.0.0.1:1/trent')
  assert.match(nobody, /^no primary could be reached: 127\.0\.0\.1:1: .*ECONNREFUSED/)
  assert.ok(!nobody.includes('hunter2'))
  const wrong = await refused('postgres://trent:hunter2@db.example/trent?sslmode=require')
  assert.match(wrong, /^TRENT_DATABASE_URL must have sslmode=verify-full/)
})
