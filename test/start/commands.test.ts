/** The command `trent` from a shell: what it prints, and its exit status. @module */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import {
  end,
  freePort,
  requireInstalled,
  root,
  run,
  serve,
  temporaryFolder,
  trentEnded,
  type Settings,
} from './serve-process.ts'

test('trent --help names every command, and an unknown one is refused', async (t) => {
  const folder = temporaryFolder(t)
  const help = await trentEnded(t, ['--help'], {}, folder)
  assert.equal(help.code, 0)
  for (const command of ['serve', 'status', 'verify-log', 'verify-database']) {
    assert.match(help.stdout, new RegExp(`^  ${command}\\b`, 'm'))
  }
  const unknown = await trentEnded(t, ['sreve'], {}, folder)
  assert.equal(unknown.code, 1)
  assert.match(
    unknown.stderr,
    /^error: unknown command 'sreve'\n\(Did you mean serve\?\)\nUsage: trent /,
  )
  assert.equal(unknown.stdout, '')
  const option = await trentEnded(t, ['serve', '--port', '1'], {}, folder)
  assert.equal(option.code, 1)
  assert.match(
    option.stderr,
    /^error: unknown option '--port'\nUsage: trent serve \[options\]\n`trent serve --help` .*\n$/,
  )
  const version = await trentEnded(t, ['--version'], {}, folder)
  assert.deepEqual(
    [version.code, version.stdout],
    [0, `trent 0.1.0 (Node.js ${process.version})\n`],
  )
  assert.deepEqual(readdirSync(folder), [])
})

test('trent account update without a change is refused, because it would succeed and do nothing', async (t) => {
  const folder = temporaryFolder(t)
  const settings = freePort(folder)
  const server = await serve(t, folder)
  const update = ['account', 'update', '000000000000']
  const nothing = await trentEnded(t, [...update, '--json'], settings, folder)
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /nothing to change: `trent account update --help`/)
  const told = await trentEnded(t, [...update, '--org', 'o-abcdefghij'], settings, folder)
  assert.equal(told.code, 0, told.stderr)
  assert.match(told.stdout, /o-abcdefghij/)
  await end(server, 'SIGTERM')
})

test('trent status asks the running server, and leaves a record of it', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder)
  const plain = await trentEnded(t, ['status'], freePort(folder), folder)
  assert.equal(plain.code, 0)
  assert.match(plain.stdout, /^ready: true$/m)
  const json = await trentEnded(t, ['status', '--json'], freePort(folder), folder)
  assert.equal(json.code, 0)
  assert.equal(json.stdout.trimEnd().split('\n').length, 1)
  const status = JSON.parse(json.stdout) as Record<string, unknown>
  assert.equal(status['ready'], true)
  assert.equal(status['accountId'], '000000000000')
  assert.equal(status['region'], 'us-west-2')

  requireInstalled()
  const environment: Settings = {
    ...freePort(folder),
    // Without a home, npm would put its cache into the checkout.
    HOME: folder,
    npm_config_update_notifier: 'false',
  }
  const npx = run(t, ['npx', 'trent', 'status', '--json'], environment, root)
  assert.deepEqual(await npx.ended, { code: 0, signal: null }, npx.stderr())
  assert.deepEqual(Object.keys(JSON.parse(npx.stdout()) as object), Object.keys(status))
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })

  const told: string[] = []
  await readRecords(join(folder, 'data', 'journal'), (text) => {
    const record = JSON.parse(text) as { eventName: string; userIdentity: { type?: string } }
    if (record.eventName === 'GetStatus') told.push(record.userIdentity.type ?? '')
  })
  assert.deepEqual(told, ['Operator', 'Operator', 'Operator'])
})

test('trent status without a server is one line and exit status 1', async (t) => {
  const folder = temporaryFolder(t)
  const { code, stdout, stderr } = await trentEnded(t, ['status'], freePort(folder), folder)
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^trent: no server answers at [^\n]+\n$/)
})

test('trent verify-log ends with 0 for a whole journal, 1 for a broken and 2 for none', async (t) => {
  const folder = temporaryFolder(t)
  const settings = freePort(folder)
  await end(await serve(t, folder), 'SIGTERM')
  const journal = join(folder, 'data', 'journal')
  const plain = await trentEnded(t, ['verify-log'], settings, folder)
  assert.equal(plain.code, 0, plain.stdout)
  assert.match(plain.stdout, /^whole: 1 records proved, 0 unanchored/m)
  const json = await trentEnded(t, ['verify-log', '--json', journal], {}, folder)
  assert.equal(json.code, 0)
  assert.equal((JSON.parse(json.stdout) as { whole: boolean }).whole, true)

  const segment = join(journal, 'worker-0', '000000000001.seg')
  const bytes = readFileSync(segment)
  const at = bytes.indexOf('CreateAccount')
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(segment, bytes)
  const broken = await trentEnded(t, ['verify-log'], settings, folder)
  assert.equal(broken.code, 1)
  assert.match(broken.stdout, /^BROKEN worker-0\/000000000001\.seg at \d+: /m)
  assert.match(broken.stdout, /^NOT WHOLE$/m)
  const told = await trentEnded(t, ['verify-log', '--json'], settings, folder)
  assert.equal(told.code, 1)
  assert.equal((JSON.parse(told.stdout) as { whole: boolean }).whole, false)

  const none = await trentEnded(t, ['verify-log', join(folder, 'absent')], {}, folder)
  assert.equal(none.code, 2)
  assert.match(none.stdout, /^cannot read .*absent: /)
})

test('trent verify-database ends with 0 for a whole database, 1 for a changed one and 2 for none', async (t) => {
  const folder = temporaryFolder(t)
  const settings = freePort(folder)
  const server = await serve(t, folder)
  const beside = await trentEnded(t, ['verify-database'], settings, folder)
  assert.equal(beside.code, 2)
  assert.match(beside.stdout, /: a server has it open: stop it, or verify a copy\n$/)
  await end(server, 'SIGTERM')
  const plain = await trentEnded(t, ['verify-database'], settings, folder)
  assert.equal(plain.code, 0, plain.stdout)
  assert.match(
    plain.stdout,
    /^whole: \d+ rows with a genuine tag, 1 wrapped keys and secrets that open$/m,
  )
  const file = join(folder, 'data', 'trent.db')
  const moved = join(folder, 'moved.key')
  renameSync(join(folder, 'data', 'seal.key'), moved)
  const json = await trentEnded(
    t,
    ['verify-database', '--json', '--seal-key', moved, file],
    {},
    folder,
  )
  assert.equal(json.code, 0, json.stdout)
  assert.equal((JSON.parse(json.stdout) as { whole: boolean }).whole, true)
  assert.equal((await trentEnded(t, ['verify-database', file], {}, folder)).code, 2)
  renameSync(moved, join(folder, 'data', 'seal.key'))

  const database = new DatabaseSync(file)
  database.exec("UPDATE access_keys SET status = 'Inactive'")
  database.close()
  const broken = await trentEnded(t, ['verify-database'], settings, folder)
  assert.equal(broken.code, 1)
  assert.match(
    broken.stdout,
    /^BROKEN access_keys AKIA\w+: its tag is wrong: someone else wrote it$/m,
  )
  assert.match(broken.stdout, /^NOT WHOLE$/m)
})

test('trent verify-log reads beside a server that is at work', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder)
  const { code, stdout } = await trentEnded(t, ['verify-log'], freePort(folder), folder)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /not closed/)
  await end(server, 'SIGTERM')
})
