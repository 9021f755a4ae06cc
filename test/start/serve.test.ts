/** How `trent serve` starts: what it prints, what it leaves, and that it does so again. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { openDeployment } from '../../src/server/root-key.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { openDatabase } from '../../src/store/open.ts'
import {
  end,
  freePort,
  run,
  serve,
  temporaryFolder,
  trentEnded,
  type Ended,
  type Serving,
} from './serve-process.ts'

const stoppedCleanly: Ended = { code: 0, signal: null }
const sdk = join(import.meta.dirname, 'default-client.ts')

/** The lines that are printed to be pasted into a shell. */
function pasteLines(server: Serving): readonly string[] {
  return server
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('  export '))
}

/** Pastes them into a shell, and runs an SDK there; answers what it printed. */
async function pasteAndUse(
  t: TestContext,
  server: Serving,
  folder: string,
  keyId = '',
): Promise<string> {
  const script = [...pasteLines(server), `"${process.execPath}" "${sdk}" ${keyId}`].join('\n')
  const shell = run(t, ['sh', '-e', '-c', script], {}, folder)
  const { code } = await shell.ended
  assert.equal(code, 0, shell.stderr())
  return shell.stdout().trim()
}

test('the first start is ready within 10 seconds, and what it prints can be pasted and used', async (t) => {
  const folder = temporaryFolder(t)
  const before = performance.now()
  const server = await serve(t, folder)
  assert.ok(performance.now() - before < 10_000)
  const data = join(folder, 'data')
  const credentials = readFileSync(join(data, 'credentials'), 'utf8')
  const [, accessKeyId] =
    /^\[default\]\naws_access_key_id = (AKIA[A-Z2-7]{16})\naws_secret_access_key = [\w+/]{40}\n$/.exec(
      credentials,
    ) ?? []
  assert.ok(accessKeyId, 'the form of an AWS shared credentials file')
  const [readyLine] = server.stdout().split('\n')
  assert.equal(
    readyLine,
    `Trent is ready on ${server.url}: account 000000000000, ` +
      `root access key ${accessKeyId}, data in ./data`,
  )
  assert.deepEqual(pasteLines(server), [
    `  export AWS_SHARED_CREDENTIALS_FILE='${data}/credentials'`,
    `  export AWS_ENDPOINT_URL=${server.url}`,
    '  export AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2',
  ])
  assert.match(server.stdout(), /aws kms encrypt /)
  assert.equal(server.stderr(), '')
  assert.equal(statSync(data).mode & 0o777, 0o700)
  for (const name of ['credentials', 'seal.key', 'trent.db', 'operator.sock']) {
    assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name)
  }
  const [plaintext, keyArn = ''] = (await pasteAndUse(t, server, folder)).split(' ')
  assert.equal(plaintext, 'hello')
  assert.match(keyArn, /^arn:aws:kms:us-west-2:000000000000:key\/[\da-f-]{36}$/)
  const printed = server.stdout() + server.stderr()
  const secret = /= (\S{40})\n$/.exec(credentials)?.[1] ?? ''
  assert.ok(!printed.includes(secret), 'the secret is in its file only')
  assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)

  const second = await serve(t, folder)
  assert.equal(readFileSync(join(data, 'credentials'), 'utf8'), credentials)
  assert.ok(second.stdout().includes(`account 000000000000, root access key ${accessKeyId},`))
  assert.equal(await pasteAndUse(t, second, folder, keyArn), `hello ${keyArn}`)
  assert.deepEqual(await end(second, 'SIGINT'), stoppedCleanly)
})

test('fixed root credentials are used, and never printed or written to the data directory', async (t) => {
  const folder = temporaryFolder(t)
  const fixed = {
    TRENT_ROOT_ACCESS_KEY_ID: 'CI_ROOT',
    TRENT_ROOT_SECRET_ACCESS_KEY: 'a secret of CI',
    TRENT_ACCOUNT_ID: '111122223333',
    TRENT_REGION: 'eu-north-1',
  }
  const server = await serve(t, folder, fixed)
  assert.match(server.stdout(), /account 111122223333, root access key CI_ROOT,/)
  assert.match(server.stdout(), /AWS_REGION=eu-north-1/)
  assert.doesNotMatch(server.stdout() + server.stderr(), /a secret of CI/)
  assert.throws(() => statSync(join(folder, 'data', 'credentials')), { code: 'ENOENT' })
  const shell = run(
    t,
    [process.execPath, sdk],
    {
      AWS_ACCESS_KEY_ID: 'CI_ROOT',
      AWS_SECRET_ACCESS_KEY: 'a secret of CI',
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: 'eu-north-1',
    },
    folder,
  )
  assert.equal((await shell.ended).code, 0, shell.stderr())
  assert.match(shell.stdout(), /^hello arn:aws:kms:eu-north-1:111122223333:key\//)
  assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)
  const found = spawnSync('grep', ['-rl', 'a secret of CI', folder])
  assert.equal(found.status, 1, 'no file holds it')

  // Without them, nobody can be told the secret again: the lines say so, and name no file.
  const without = await serve(t, folder, { TRENT_ACCOUNT_ID: '111122223333' })
  assert.doesNotMatch(without.stdout(), /AWS_SHARED_CREDENTIALS_FILE/)
  assert.match(without.stdout(), /AWS_SECRET_ACCESS_KEY=<of an earlier start>/)
  await end(without, 'SIGTERM')
})

test('what is printed can be pasted whatever the data directory is called', async (t) => {
  const folder = join(temporaryFolder(t), `it's "$HOME" here`, 'and there')
  mkdirSync(folder, { recursive: true })
  const server = await serve(t, folder)
  assert.match(await pasteAndUse(t, server, folder), /^hello /)
  assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700)
  assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)
})

test('a socket that a killed server has left does not hinder the next start', async (t) => {
  const folder = temporaryFolder(t)
  await end(await serve(t, folder), 'SIGKILL')
  assert.ok(statSync(join(folder, 'data', 'operator.sock')).isSocket())
  const server = await serve(t, folder)
  const { code } = await trentEnded(t, ['status'], freePort(folder), folder)
  assert.equal(code, 0)
  assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)
  assert.throws(() => statSync(join(folder, 'data', 'operator.sock')), { code: 'ENOENT' })
})

test('a start that died behind the key file is taken up by the next', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  await end(await serve(t, folder), 'SIGTERM')
  const sealKey = readFileSync(join(data, 'seal.key'))
  rmSync(data, { recursive: true })
  mkdirSync(data, { mode: 0o700 })
  // What such a start has left: the tables without a deployment, and the key file.
  await (await openDatabase({ path: join(data, 'trent.db') })).close()
  writeFileSync(join(data, 'seal.key'), sealKey, { mode: 0o600 })
  const server = await serve(t, folder)
  assert.match(await pasteAndUse(t, server, folder), /^hello /)
  assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)
  assert.deepEqual(readFileSync(join(data, 'seal.key')), sealKey)
})

test('a start that died behind the credentials file is taken up by the next', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  // What such a start has left: a deployment without an account, and the file, or a part of it.
  writeFileSync(join(data, 'seal.key'), systemRandom.bytes(32), { mode: 0o600 })
  const database = await openDatabase({ path: join(data, 'trent.db') })
  const clock = { now: () => Date.now(), system: () => Date.now() }
  const seal = fileSeal(join(data, 'seal.key'), systemRandom)
  await openDeployment({ database, seal, clock, random: systemRandom })
  await database.close()
  const text = '[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = nobody\n'
  writeFileSync(join(data, 'credentials'), text, { mode: 0o600 })
  writeFileSync(join(data, 'credentials.next'), text.slice(0, 20), { mode: 0o600 })

  const server = await serve(t, folder)
  assert.notEqual(readFileSync(join(data, 'credentials'), 'utf8'), text)
  assert.equal(statSync(join(data, 'credentials')).mode & 0o777, 0o600)
  assert.match(await pasteAndUse(t, server, folder), /^hello /)
  assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)
})

/** The messages of these warnings. */
function warnings(server: Serving, pattern: RegExp): readonly string[] {
  const lines = server.stderr().trimEnd().split('\n').filter(Boolean)
  return lines
    .map((line) => JSON.parse(line) as { readonly level: number; readonly msg: string })
    .filter(({ level, msg }) => level === 40 && pattern.test(msg))
    .map(({ msg }) => msg)
}

test('a start warns of a key file and of backups that lie in the data directory', async (t) => {
  const key = 'the key file lies in the data directory: one copy of it opens every key'
  const backups = 'TRENT_BACKUP_DIR lies in the data directory: the backups are lost with it'
  const isReached = { TRENT_TRUSTED_PROXIES: '127.0.0.1' }
  for (const { settings, said } of [
    // Whoever only tries Trent on loopback has the key file there.
    { settings: { TRENT_BACKUP_DIR: 'data/backups' }, said: [backups] },
    { settings: { ...isReached, TRENT_BACKUP_DIR: 'data-backups' }, said: [key] },
    { settings: { ...isReached, TRENT_SEAL: 'file:data/..seal.key' }, said: [key] },
    { settings: { ...isReached, TRENT_SEAL: 'file:data-seal.key' }, said: [] },
  ]) {
    const folder = temporaryFolder(t)
    const server = await serve(t, folder, settings)
    assert.deepEqual(await end(server, 'SIGTERM'), stoppedCleanly)
    assert.deepEqual(warnings(server, /lies in the data directory/), said, JSON.stringify(settings))
  }
})
