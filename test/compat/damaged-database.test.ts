/** A database with a damaged page: told in readiness and metrics soon after the start. @module */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { verifyDatabase } from '../../src/cli/verify-database.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { sqliteOnly, startTestServer, type TestServer } from '../harness.ts'
import { scrapeUntil } from '../metrics/scraped.ts'

const skip = sqliteOnly('damages the file of SQLite')

/** A server whose stopped predecessor's file was changed by `damage`. */
async function startDamaged(
  t: TestContext,
  damage: (bytes: Buffer, rootPageOf: (name: string) => number) => void,
): Promise<TestServer> {
  const first = await startTestServer()
  await first.client().send(new CreateKeyCommand({}))
  await first.stop('keep')
  const path = join(first.directory, 'trent.db')
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database.prepare('SELECT name, rootpage FROM sqlite_schema').all()
  database.close()
  const bytes = readFileSync(path)
  damage(
    bytes,
    (name) => (Number(rows.find((row) => row['name'] === name)?.['rootpage']) - 1) * 4096,
  )
  writeFileSync(path, bytes)
  const server = await startTestServer({}, { directory: first.directory })
  t.after(() => server.stop())
  return server
}

const readiness = async (server: TestServer): Promise<readonly [number, string]> => {
  const answer = await fetch(`${server.url}/readyz`)
  return [answer.status, await answer.text()]
}

test('a sound database is told as sound, and the server is ready', { skip }, async (t) => {
  const server = await startDamaged(t, () => undefined)
  const figures = await scrapeUntil(server, (all) => all.get('trent_database_checked') === 1)
  assert.equal(figures.get('trent_database_damaged'), 0)
  assert.equal((await readiness(server))[0], 200)
})

for (const [what, damage] of [
  [
    'a table’s page',
    (bytes: Buffer, pageOf: (name: string) => number) =>
      bytes.fill(0xff, pageOf('oidc_providers'), pageOf('oidc_providers') + 4096),
  ],
  [
    'the order in an index',
    // The page of an empty index in the place of one that has an entry: a row is missing from it.
    (bytes: Buffer, pageOf: (name: string) => number) =>
      bytes.copyWithin(
        pageOf('sqlite_autoindex_keys_1'),
        pageOf('sqlite_autoindex_trails_1'),
        pageOf('sqlite_autoindex_trails_1') + 4096,
      ),
  ],
] as const) {
  test(
    `damage to ${what} is told, and calls that do not meet it are served`,
    { skip },
    async (t) => {
      const server = await startDamaged(t, damage)
      const figures = await scrapeUntil(server, (all) => all.get('trent_database_checked') === 1)
      assert.equal(figures.get('trent_database_damaged'), 1)
      assert.equal(figures.get('trent_ready'), 0)
      const [status, body] = await readiness(server)
      assert.equal(status, 503)
      assert.match(body, /the database is damaged: stop the server and run `trent verify-database`/)
      assert.ok(server.logged.some((line) => line.includes('the database is damaged')))
      const kms = server.client()
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      await kms.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }))
      await server.stop('keep')
      const said: string[] = []
      const file = join(server.directory, 'trent.db')
      const options = {
        database: { file },
        seal: fileSeal(join(server.directory, 'seal.key'), systemRandom),
        json: false,
        askSecret: () => assert.fail('a key file asks for nothing'),
      }
      const output = { write: (text: string) => said.push(text) }
      assert.equal(await verifyDatabase({ ...options, output }), 1)
      assert.match(said.join(''), /\nBROKEN: /)
    },
  )
}
