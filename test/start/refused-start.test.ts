/** What stops a start: each time with one clear line, exit status 1 and nothing harmed. @module */
import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { before, after, test, type TestContext } from 'node:test'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { refusal, treasures } from './refusal.ts'
import {
  end,
  freePort,
  serve,
  temporaryFolder,
  trentEnded,
  type Settings,
} from './serve-process.ts'

const wrongSettings: readonly (readonly [Settings, RegExp])[] = [
  [{ TRENT_LISTEN: 'nonsense' }, /^TRENT_LISTEN must be /],
  [{ TRENT_LISTEN: '127.0.0.1:70000' }, /^TRENT_LISTEN must be /],
  [{ TRENT_LISTEN: '0.0.0.0:0' }, /^TRENT_LISTEN: 0\.0\.0\.0 is not a loopback address/],
  [{ TRENT_ALLOW_PLAINTEXT_HTTP: '1' }, /^TRENT_ALLOW_PLAINTEXT_HTTP must be true or false$/],
  [
    { TRENT_LISTEN: '0.0.0.0:0', TRENT_ALLOW_PLAINTEXT_HTTP: 'true', TRENT_TEST_API: 'on' },
    /^TRENT_TEST_API=on is refused unless TRENT_LISTEN is a loopback address; in a container /,
  ],
  [{ TRENT_TEST_API: 'yes' }, /^TRENT_TEST_API must be on, off or container$/],
  [{ TRENT_ACCOUNT_ID: '12' }, /^TRENT_ACCOUNT_ID must be twelve digits$/],
  [{ TRENT_ROOT_ACCESS_KEY_ID: 'ab' }, /^TRENT_ROOT_ACCESS_KEY_ID must be /],
  [{ TRENT_ROOT_ACCESS_KEY_ID: 'abc' }, /^TRENT_ROOT_SECRET_ACCESS_KEY must be /],
  [{ TRENT_ROOT_SECRET_ACCESS_KEY: 'long enough' }, /^TRENT_ROOT_ACCESS_KEY_ID must be /],
  [
    { TRENT_ROOT_ACCESS_KEY_ID: 'abc', TRENT_ROOT_SECRET_ACCESS_KEY: 'hush' },
    /^TRENT_ROOT_SECRET_ACCESS_KEY must be (?!.*hush)/,
  ],
  [{ TRENT_DATA_DIR: '/proc/trent' }, /mkdir '\/proc/],
  [{ TRENT_DATA_DIR: join(import.meta.filename, 'data') }, /^ENOTDIR: .*mkdir/],
  [{ TRENT_REGION: 'mars-1' }, /^TRENT_REGION: mars-1 is not a known Region/],
  [{ TRENT_REGIONS: '???' }, /^TRENT_REGIONS: /],
  [{ TRENT_LOG_LEVEL: 'loud' }, /^TRENT_LOG_LEVEL must be one of /],
  [
    { TRENT_LISTNE: '127.0.0.1:1' },
    /^TRENT_LISTNE in the environment is not a setting of Trent: did you mean TRENT_LISTEN\?$/,
  ],
  [
    {
      TRENT_CONSOLE_SIGN_IN:
        'Example:issuer=https://login.example.com;client-id=trent;client-secret-file=/proc/absent',
    },
    /^TRENT_CONSOLE_SIGN_IN: the client secret of Example: \/proc\/absent cannot be read: ENOENT$/,
  ],
  [{ TRENT_CONFIG: 'absent.env' }, /^the settings file .*absent\.env cannot be read$/],
]

test('each wrong setting stops the start before anything is made', async (t) => {
  const folder = temporaryFolder(t)
  for (let first = 0; first < wrongSettings.length; first += 4) {
    await Promise.all(
      wrongSettings.slice(first, first + 4).map(async ([settings, expected]) => {
        assert.match(await refusal(t, folder, settings), expected)
      }),
    )
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('a wrong setting in a settings file stops the start, and a right one is taken', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'wrong.env'), 'TRENT_ACCOUNT_ID=12\n')
  writeFileSync(join(folder, 'trent.env'), 'TRENT_ACCOUNT_ID=123456789012\n')
  const line = await refusal(t, folder, {}, ['--config', 'wrong.env', 'serve'])
  assert.equal(line, 'TRENT_ACCOUNT_ID must be twelve digits')
  const server = await serve(t, folder)
  assert.match(server.stdout(), /: account 123456789012,/)
  await end(server, 'SIGTERM')
})

test('a second process on the same data is refused and does the first no harm', async (t) => {
  const folder = temporaryFolder(t)
  const first = await serve(t, folder)
  assert.equal(await refusal(t, folder, {}), 'another Trent is using this data directory')
  const { code, stdout } = await trentEnded(t, ['status', '--json'], freePort(folder), folder)
  assert.equal(code, 0)
  assert.equal((JSON.parse(stdout) as { ready: boolean }).ready, true)
  assert.ok((await fetch(`${first.url}/readyz`)).ok)
  assert.deepEqual(await end(first, 'SIGTERM'), { code: 0, signal: null })
  assert.equal(first.stderr(), '')
})

test('an address in use, or not this machine’s, is one line, and the data is free again', async (t) => {
  const folder = temporaryFolder(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const address = other.address()
  assert.ok(typeof address === 'object' && address !== null)
  assert.equal(
    await refusal(t, folder, { TRENT_LISTEN: `127.0.0.1:${address.port}` }),
    'the address of TRENT_LISTEN is in use',
  )
  const elsewhere = { TRENT_LISTEN: '192.0.2.1:0', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' }
  assert.match(await refusal(t, folder, elsewhere), /EADDRNOTAVAIL.* 192\.0\.2\.1/)
  await end(await serve(t, folder), 'SIGTERM')
})

/** A data directory that a server has made, to be copied and spoilt. */
let made = ''
before(async (t) => {
  made = mkdtempSync(join(tmpdir(), 'trent-made-'))
  // A hook has the context of its file, which runs what is to be cleaned up when the file is done.
  const context = t as TestContext
  await end(await serve(context, made), 'SIGTERM')
})
after(() => rmSync(made, { recursive: true, force: true }))

function spoilt(t: TestContext, spoil: (data: string) => void): string {
  const folder = temporaryFolder(t)
  cpSync(join(made, 'data'), join(folder, 'data'), { recursive: true })
  spoil(join(folder, 'data'))
  return folder
}

const spoilings: readonly (readonly [string, (data: string) => void, RegExp])[] = [
  ['a missing key file', (data) => rmSync(join(data, 'seal.key')), /^key file .* is missing$/],
  [
    'another key file',
    (data) => writeFileSync(join(data, 'seal.key'), Buffer.alloc(32, 7)),
    /^key file .* does not open this deployment's root key$/,
  ],
  [
    'a key file cut short',
    (data) => writeFileSync(join(data, 'seal.key'), Buffer.alloc(31, 7)),
    /^key file .* has 31 bytes, not 32$/,
  ],
  [
    'a key file open to others',
    (data) => chmodSync(join(data, 'seal.key'), 0o644),
    /^key file .* is open to other users: chmod 600 it$/,
  ],
  [
    'a database of a later version',
    (data) => {
      const database = new DatabaseSync(join(data, 'trent.db'))
      database.exec("INSERT INTO schema_migrations (version, name) VALUES (999, 'later')")
      database.close()
    },
    /^the database was written by a later version of Trent: its schema is version 999/,
  ],
  [
    'a trigger in the database',
    (data) => {
      const database = new DatabaseSync(join(data, 'trent.db'))
      database.exec('CREATE TRIGGER undo BEFORE DELETE ON grants BEGIN SELECT RAISE(IGNORE); END')
      database.close()
    },
    /^the schema of trent\.db was changed: the trigger `undo` is not part of it; restore trent\.db/,
  ],
  [
    'another collation in the database',
    (data) => {
      const database = new DatabaseSync(join(data, 'trent.db'), { defensive: false })
      database.exec('PRAGMA writable_schema = ON')
      database.exec(`UPDATE sqlite_schema SET sql = replace(sql, '"name" text', '"name" text collate nocase')
        WHERE name = 'aliases'`)
      database.close()
    },
    /^the schema of trent\.db was changed: the table `aliases` is defined differently; restore/,
  ],
  [
    'a database that is none',
    (data) => writeFileSync(join(data, 'trent.db'), Buffer.alloc(8192, 7)),
    /^the database cannot be used: file is not a database$/,
  ],
  [
    'a file in the place of the operator’s socket',
    (data) => writeFileSync(join(data, 'operator.sock'), ''),
    /^there is something that is no socket at .*operator\.sock$/,
  ],
]

for (const [name, spoil, expected] of spoilings) {
  test(`${name} stops the start, and nothing is written over`, async (t) => {
    const folder = spoilt(t, spoil)
    const found = treasures(folder)
    assert.match(await refusal(t, folder, {}), expected)
    assert.deepEqual(treasures(folder), found)
  })
}

test('the right key file put back, the server starts as if nothing had been', async (t) => {
  const folder = spoilt(t, (data) => rmSync(join(data, 'seal.key')))
  await refusal(t, folder, {})
  const data = join(folder, 'data')
  // What the start had opened before it was refused, it has closed: no socket, no segment in preparation.
  assert.ok(!existsSync(join(data, 'operator.sock')))
  const segments = readdirSync(join(data, 'journal', 'worker-0'))
  assert.deepEqual(segments, ['000000000001.seg', '000000000002.seg'])
  const sizes = segments.map((name) => statSync(join(data, 'journal', 'worker-0', name)).size)
  assert.ok(Math.max(...sizes) < 1024 * 1024, 'each is cut to its length')
  cpSync(join(made, 'data', 'seal.key'), join(data, 'seal.key'))
  const server = await serve(t, folder)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

test('a file where the data directory should be is one line', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'data'), '')
  assert.match(await refusal(t, folder, {}), /EEXIST.*data/)
})

test('a data directory that every user may write to is one line, and nothing is put there', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  for (const mode of [0o777, 0o1777, 0o702]) {
    rmSync(data, { recursive: true, force: true })
    mkdirSync(data)
    chmodSync(data, mode)
    const line = await refusal(t, folder, {})
    assert.equal(line, `TRENT_DATA_DIR: every user may write to ${data}: chmod 700 it`)
    assert.deepEqual(readdirSync(data), [])
  }
  chmodSync(data, 0o2770)
  await serve(t, folder)
})

test('a file that every user may write to is one line, wherever in the data directory it is', async (t) => {
  const folder = spoilt(t, () => undefined)
  const data = join(folder, 'data')
  const stream = join('journal', 'worker-0')
  for (const name of ['trent.db-wal', 'trent.db-shm', 'dead-events.jsonl', 'other']) {
    writeFileSync(join(data, name), '', { mode: 0o600 })
  }
  const files = [
    ...readdirSync(data),
    stream,
    ...readdirSync(join(data, stream)).map((name) => join(stream, name)),
  ]
  for (const name of ['trent.db', 'seal.key', 'credentials', 'journal', stream]) {
    assert.ok(files.includes(name), name)
  }
  for (const name of files) {
    const path = join(data, name)
    const { mode } = statSync(path)
    chmodSync(path, (mode & 0o777) | 0o066)
    const line = await refusal(t, folder, {})
    const own = statSync(path).isDirectory() ? '700' : '600'
    assert.equal(
      line,
      `TRENT_DATA_DIR: every user may write to ${path}: make sure that nobody did, and chmod ${own} it`,
    )
    assert.equal(statSync(path).mode & 0o777, (mode & 0o777) | 0o066)
    chmodSync(path, mode & 0o777)
  }
  for (const name of ['trent.db-wal', 'trent.db-shm']) rmSync(join(data, name))
  const target = join(folder, 'elsewhere.db')
  cpSync(join(data, 'trent.db'), target)
  rmSync(join(data, 'trent.db'))
  symlinkSync(target, join(data, 'trent.db'))
  chmodSync(target, 0o602)
  assert.match(await refusal(t, folder, {}), /every user may write to .*trent\.db: /)
  chmodSync(target, 0o600)
  chmodSync(join(data, 'credentials'), 0o644)
  assert.match(await refusal(t, folder, {}), /every user may read .*credentials: .* chmod 600 it$/)
  chmodSync(join(data, 'credentials'), 0o640)
  assert.deepEqual(await end(await serve(t, folder), 'SIGTERM'), { code: 0, signal: null })
})

test('fixed credentials of another secret are refused', async (t) => {
  const folder = temporaryFolder(t)
  const fixed = {
    TRENT_ROOT_ACCESS_KEY_ID: 'CI_ROOT',
    TRENT_ROOT_SECRET_ACCESS_KEY: 'first-secret',
  }
  await end(await serve(t, folder, fixed), 'SIGTERM')
  const expected =
    'TRENT_ROOT_ACCESS_KEY_ID exists in the data directory with another account or another secret'
  const otherSecret = { TRENT_ROOT_SECRET_ACCESS_KEY: 'other-secret' }
  assert.equal(await refusal(t, folder, { ...fixed, ...otherSecret }), expected)
  assert.deepEqual(await end(await serve(t, folder, fixed), 'SIGTERM'), { code: 0, signal: null })
})
