/** `trent migrate sqlite-to-postgres` from a shell, and killed on the way. @module */
import assert from 'node:assert/strict'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { startChangingProxy } from '../store/postgres/changing-proxy.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { refusal } from './refusal.ts'
import {
  end,
  freePort,
  type Running,
  serve,
  temporaryFolder,
  trent,
  trentEnded,
} from './serve-process.ts'

const [version = 0] = testedVersions
const command = ['migrate', 'sqlite-to-postgres'] as const
const root = {
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const

function clientOf(t: TestContext, endpoint: string): KMSClient {
  const credentials = { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' }
  const client = new KMSClient({ endpoint, region: 'us-west-2', maxAttempts: 1, credentials })
  t.after(() => client.destroy())
  return client
}

/** The data directory of a stopped server, and a ciphertext of one of its keys. */
async function stopped(t: TestContext): Promise<{ folder: string; ciphertext: Uint8Array }> {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, root)
  const client = clientOf(t, server.url)
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const Plaintext = Buffer.from('hello')
  const sent = await client.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext }))
  await end(server, 'SIGTERM')
  return { folder, ciphertext: sent.CiphertextBlob ?? new Uint8Array() }
}

async function decrypted(t: TestContext, url: string, ciphertext: Uint8Array): Promise<string> {
  const sent = await clientOf(t, url).send(new DecryptCommand({ CiphertextBlob: ciphertext }))
  return Buffer.from(sent.Plaintext ?? []).toString()
}

async function isMoved(t: TestContext, folder: string, url: string): Promise<void> {
  const settings = { ...root, TRENT_DATABASE_URL: url }
  assert.equal(existsSync(join(folder, 'data', 'trent.db')), false)
  assert.equal(existsSync(join(folder, 'data', 'trent.db.moved')), true)
  const given = { ...freePort(folder), ...settings }
  const { code, stdout } = await trentEnded(t, ['verify-database'], given, folder)
  assert.equal(code, 0, stdout)
  assert.match(
    await refusal(t, folder, root),
    /trent\.db was moved to PostgreSQL and is now .*: set/,
  )
  assert.match(
    await failed(t, folder, settings),
    /^the database holds this deployment already: start the server with the same settings$/,
  )
}

test(
  'a deployment is moved, and goes on in PostgreSQL with all that it had',
  { skip },
  async (t) => {
    const { folder, ciphertext } = await stopped(t)
    assert.match(await refusal(t, folder, root, command), /^set TRENT_DATABASE_URL to the empty/)
    const { url } = await testDatabase(t, version)
    const settings = { ...root, TRENT_DATABASE_URL: url }

    const running = await serve(t, folder, root)
    assert.equal(await failed(t, folder, settings), 'a server has trent.db open: stop it')
    await end(running, 'SIGTERM')
    assert.match(
      await refusal(t, folder, settings),
      /^the database is empty, and .*trent\.db has a deployment: move it by `trent migrate sqlite-to-/,
    )

    const told = await trentEnded(t, command, { ...freePort(folder), ...settings }, folder)
    assert.equal(told.code, 0, told.stderr)
    assert.match(
      told.stdout,
      /^verifying .*trent\.db\n(?:\w+: \d+ rows\n)+moved \d+ rows to postgres:/,
    )
    assert.match(
      told.stdout,
      /: start the server with the same settings\nthe former .*\.db\.moved\n$/,
    )
    await isMoved(t, folder, url)
    const server = await serve(t, folder, settings)
    assert.equal(await decrypted(t, server.url, ciphertext), 'hello')
    await end(server, 'SIGTERM')
  },
)

/** Like `refusal`, for a run that has said something before. */
async function failed(
  t: TestContext,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<string> {
  const given = { ...freePort(folder), ...settings }
  const { code, stderr } = await trentEnded(t, command, given, folder)
  assert.equal(code, 1)
  assert.match(stderr, /^trent: [^\n]+\n$/)
  return stderr.slice('trent: '.length, -1)
}

/** Where the command is killed, and whether everything has then arrived. */
const kills: readonly { readonly at: RegExp; readonly sends: boolean; readonly name: string }[] = [
  { at: /insert into "keys"/i, sends: false, name: 'among the rows' },
  { at: /COMMIT/, sends: false, name: 'before the commit' },
  { at: /COMMIT/, sends: true, name: 'after the commit' },
]

test('a move that is killed is either to be run again, or complete', { skip }, async (t) => {
  const { folder: made } = await stopped(t)
  for (const { at, sends, name } of kills) {
    const folder = temporaryFolder(t)
    cpSync(join(made, 'data'), join(folder, 'data'), { recursive: true })
    const { url, port } = await testDatabase(t, version)
    let running: Running | undefined
    let hasRows = false
    const proxied = await startChangingProxy(t, port, (sent) => {
      if (running?.child.signalCode !== null || running.child.killed) return ''
      hasRows ||= /insert into "keys"/i.test(sent)
      if (!hasRows || !at.test(sent)) return sent
      running.child.kill('SIGKILL')
      return sends ? sent : ''
    })
    const through = url.replace(`:${port}/`, `:${proxied}/`)
    const settings = { ...freePort(folder), ...root }
    running = trent(t, command, { ...settings, TRENT_DATABASE_URL: through }, folder)
    assert.equal((await running.ended).signal, 'SIGKILL', running.stderr())

    const inPostgres = { ...root, TRENT_DATABASE_URL: url }
    if (!sends) {
      const isRenamed = name === 'before the commit'
      const data = join(folder, 'data')
      assert.equal(existsSync(join(data, 'trent.db')), !isRenamed, name)
      assert.match(await refusal(t, folder, inPostgres), /move it by `trent migrate sqlite-to-/)
      if (isRenamed) assert.match(await refusal(t, folder, root), /was moved to PostgreSQL and is/)
      const again = await trentEnded(t, command, { ...settings, ...inPostgres }, folder)
      assert.equal(again.code, 0, `${name}: ${again.stderr}`)
    }
    await isMoved(t, folder, url)
  }
})

test('a file that is not whole, or not there, is not moved', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const folder = temporaryFolder(t)
  const settings = { ...root, TRENT_DATABASE_URL: url }
  assert.match(await failed(t, folder, settings), /trent\.db does not exist: nothing to move$/)
  await end(await serve(t, folder, root), 'SIGTERM')
  const file = new DatabaseSync(join(folder, 'data', 'trent.db'))
  file.exec("UPDATE access_keys SET status = 'Inactive'")
  file.close()
  assert.match(
    await failed(t, folder, settings),
    /trent\.db is not whole: see `trent verify-databa/,
  )
  writeFileSync(join(folder, 'data', 'trent.db.moved'), '')
  assert.match(
    await failed(t, folder, settings),
    /both exist: move the one that is not meant away$/,
  )
})
