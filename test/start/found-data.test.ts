/** Files of a data directory that do not belong together: one line, and nothing is opened or made. @module */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test, type TestContext } from 'node:test'
import { filesOf, refusal, treasures } from './refusal.ts'
import { end, freePort, serve, temporaryFolder, trentEnded } from './serve-process.ts'

/** Two data directories that servers have made, to be copied and mixed. */
let made = ''
let other = ''
before(async (t) => {
  made = mkdtempSync(join(tmpdir(), 'trent-made-'))
  other = mkdtempSync(join(tmpdir(), 'trent-made-'))
  // A hook has the context of its file, which runs the cleaning up when the file is done.
  const context = t as TestContext
  await end(await serve(context, made), 'SIGTERM')
  await end(await serve(context, other), 'SIGTERM')
})
after(() => {
  for (const each of [made, other]) rmSync(each, { recursive: true, force: true })
})

function spoilt(t: TestContext, spoil: (data: string) => void): string {
  const folder = temporaryFolder(t)
  cpSync(join(made, 'data'), join(folder, 'data'), { recursive: true })
  spoil(join(folder, 'data'))
  return folder
}

function missing(how: 'missing' | 'empty'): RegExp {
  return new RegExp(
    `^\\S*/trent\\.db is ${how}, and \\S*/seal\\.key and \\S*/journal of an earlier deployment are there: ` +
      'put the database back from a backup, or move them and the file credentials away to begin anew$',
  )
}

const ofAnother =
  /^\S*\/trent\.db is of deployment [0-9a-f-]{36} and \S*\/journal of deployment [0-9a-f-]{36}: put back/

const mixtures: readonly (readonly [string, (data: string) => void, RegExp])[] = [
  ['a missing database', (data) => rmSync(join(data, 'trent.db')), missing('missing')],
  [
    'a missing database beside its log',
    (data) => {
      renameSync(join(data, 'trent.db'), join(data, 'trent.db-wal'))
    },
    missing('missing'),
  ],
  ['a database of no bytes', (data) => writeFileSync(join(data, 'trent.db'), ''), missing('empty')],
  [
    'a database without tables',
    (data) => {
      rmSync(join(data, 'trent.db'))
      const database = new DatabaseSync(join(data, 'trent.db'))
      database.exec('PRAGMA journal_mode = WAL')
      database.close()
    },
    missing('empty'),
  ],
  [
    'a database without a deployment',
    (data) => {
      const database = new DatabaseSync(join(data, 'trent.db'))
      database.exec('PRAGMA foreign_keys = OFF; DELETE FROM deployment')
      database.close()
    },
    /^\S*trent\.db has rows and no deployment, as after a restore that did not finish: move it away/,
  ],
  [
    'a missing database beside a journal alone',
    (data) => {
      rmSync(join(data, 'trent.db'))
      rmSync(join(data, 'seal.key'))
    },
    /^\S*trent\.db is missing, and \S*journal of an earlier deployment is there: put the database back/,
  ],
  [
    'a missing database beside a key file alone',
    (data) => {
      rmSync(join(data, 'trent.db'))
      rmSync(join(data, 'journal'), { recursive: true })
    },
    /^\S*trent\.db is missing, and \S*seal\.key of an earlier deployment is there: put the database back/,
  ],
  [
    'a database of another deployment',
    (data) => cpSync(join(other, 'data', 'trent.db'), join(data, 'trent.db')),
    ofAnother,
  ],
  [
    'a database and a key file of another deployment',
    (data) => {
      for (const name of ['trent.db', 'seal.key']) {
        cpSync(join(other, 'data', name), join(data, name))
      }
    },
    ofAnother,
  ],
  [
    'a journal of another deployment without its list of writers',
    (data) => {
      rmSync(join(data, 'journal'), { recursive: true })
      cpSync(join(other, 'data', 'journal'), join(data, 'journal'), { recursive: true })
      rmSync(join(data, 'journal', 'writers.json'))
    },
    ofAnother,
  ],
]

for (const [name, spoil, expected] of mixtures) {
  test(`${name} stops the start, and every file stays as it was`, async (t) => {
    const folder = spoilt(t, spoil)
    const found = { ...treasures(folder), files: filesOf(folder) }
    assert.match(await refusal(t, folder, {}), expected)
    assert.deepEqual({ ...treasures(folder), files: filesOf(folder) }, found)
  })
}

test('a first start that died before it had made a deployment is done again', async (t) => {
  const folder = spoilt(t, (data) => {
    const database = new DatabaseSync(join(data, 'trent.db'))
    database.exec('PRAGMA foreign_keys = OFF; DELETE FROM accounts; DELETE FROM access_keys')
    database.exec('DELETE FROM deployment; DELETE FROM domain_keys; DELETE FROM seals')
    database.close()
    rmSync(join(data, 'journal'), { recursive: true })
  })
  const { seal } = treasures(folder)
  const server = await serve(t, folder)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  assert.equal(treasures(folder)['seal'], seal)
})

test('a changed TRENT_ACCOUNT_ID is one line, and makes no account', async (t) => {
  const folder = spoilt(t, () => undefined)
  const found = treasures(folder)
  const expected =
    'TRENT_ACCOUNT_ID is 111122223333, and the first account of this data directory is 000000000000: ' +
    'set it back, or make the other account with `trent account create --id 111122223333`'
  const changed = { TRENT_ACCOUNT_ID: '111122223333' }
  assert.equal(await refusal(t, folder, changed), expected)
  const { credentials } = found
  assert.equal(treasures(folder)['credentials'], credentials)
  // Neither does it with fixed credentials, or where the credentials file is gone.
  const fixed = { TRENT_ROOT_ACCESS_KEY_ID: 'CI_ROOT', TRENT_ROOT_SECRET_ACCESS_KEY: 'a secret' }
  assert.equal(await refusal(t, folder, { ...changed, ...fixed }), expected)
  rmSync(join(folder, 'data', 'credentials'))
  assert.equal(await refusal(t, folder, changed), expected)
  assert.equal(treasures(folder)['credentials'], undefined)
  const server = await serve(t, folder)
  const create = ['account', 'create', '--id', '111122223333']
  assert.equal((await trentEnded(t, create, freePort(folder), folder)).code, 0)
  await end(server, 'SIGTERM')
  // An account that somebody has made is one that a setting may name; its access key was told elsewhere.
  const ofOther = await serve(t, folder, changed)
  assert.match(ofOther.stdout(), /: account 111122223333, data in/)
  assert.deepEqual(await end(ofOther, 'SIGTERM'), { code: 0, signal: null })
})
