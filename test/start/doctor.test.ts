/** `trent doctor` as a process, on a stopped deployment and next to a running one. It changes neither. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { chmodSync, lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { callOperator } from '../../src/operator/client.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { examined, requireFinding, stoppedDeployment } from './doctor-findings.ts'
import {
  end,
  freePort,
  ready,
  serve,
  temporaryFolder,
  trent,
  trentEnded,
  type Settings,
} from './serve-process.ts'

interface Report {
  readonly healthy: boolean
  readonly findings: readonly Finding[]
}

async function reported(
  t: TestContext,
  folder: string,
  settings: Settings = {},
): Promise<Report & { readonly code: number | null }> {
  const given = { ...freePort(folder), ...settings }
  const { code, stdout, stderr } = await trentEnded(t, ['doctor', '--json'], given, folder)
  assert.equal(stderr, '')
  return { code, ...(JSON.parse(stdout) as Report) }
}

/** Every file with its mode, content and time of change. */
function everything(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const stats = lstatSync(join(folder, name))
      const content = stats.isFile() ? hash('sha256', readFileSync(join(folder, name))) : ''
      return `${name} ${stats.mode} ${stats.mtimeMs} ${content}`
    })
}

const copy = stoppedDeployment()

test('a stopped deployment has nothing to do, and none of its files changes', async (t) => {
  const folder = copy(t)
  const had = everything(folder)
  const { code, healthy, findings } = await reported(t, folder)
  assert.deepEqual({ code, healthy }, { code: 0, healthy: true })
  assert.deepEqual(
    findings.map(({ check, state }) => `${check} ${state}`),
    'settings server permissions tls ports disk database clock seal'
      .split(' ')
      .map((n) => `${n} ok`),
  )
  assert.deepEqual(everything(folder), had)
  const text = await trentEnded(t, ['doctor'], freePort(folder), folder)
  assert.equal(text.code, 0)
  assert.match(text.stdout, /^ok {7}seal {9}file: it opens the root key/m)
  assert.match(text.stdout, /\n\nnothing to do\n$/)
  // No terminal, no colours.
  assert.ok(!text.stdout.includes('\u001B'))
})

test('before the first start, nothing is wrong and nothing is made', async (t) => {
  const folder = temporaryFolder(t)
  const { code, findings } = await reported(t, folder)
  assert.equal(code, 0)
  requireFinding(findings, 'database', 'ok', /no deployment yet/)
  requireFinding(findings, 'seal', 'ok', /the first start makes/)
  assert.deepEqual(readdirSync(folder), [])
})

test('next to a running server, it asks the server, which goes on serving', async (t) => {
  const folder = copy(t)
  const server = await serve(t, folder)
  const fixed = { TRENT_LISTEN: `127.0.0.1:${server.port}` }
  const { code, findings } = await reported(t, folder, fixed)
  assert.equal(code, 0, JSON.stringify(findings))
  requireFinding(findings, 'server', 'ok', /^serving, version /)
  requireFinding(findings, 'ports', 'ok', /answers$/)
  requireFinding(findings, 'database', 'ok', /the server has it open/)
  requireFinding(findings, 'seal', 'ok', /^the root key is open, sealed by file$/)
  const elsewhere = await examined(folder, { TRENT_LISTEN: '127.0.0.1:1' })
  requireFinding(elsewhere, 'ports', 'failed', /does not answer/, /restart it/)
  const sealedBy = await examined(folder, { TRENT_SEAL: 'shamir' })
  requireFinding(sealedBy, 'seal', 'failed', /TRENT_SEAL is shamir/, /set TRENT_SEAL to the file/)
  // The next start would stay sealed.
  const key = join(folder, 'data', 'seal.key')
  renameSync(key, `${key}-away`)
  const begun = callOperator(join(folder, 'data'), 'BeginRekey', { rotate: true })
  await assert.rejects(begun, /seal\.key is missing/)
  requireFinding(
    await examined(folder, fixed),
    'seal',
    'failed',
    /does not open any more, since \S+Z: key file \S+seal\.key is missing/,
    /do not restart the server/,
  )
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

test('a sealed server fails, with the command that opens it', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'settings'), '')
  const settings = { ...freePort(folder), TRENT_SEAL: 'shamir' }
  const server = trent(t, ['serve'], settings, folder)
  let isChosen = false
  while (!isChosen && server.child.exitCode === null) {
    const status = await callOperator(join(folder, 'data'), 'GetStatus').catch(() => undefined)
    isChosen = 'seal' in Object(status)
  }
  const findings = await examined(folder, { TRENT_SEAL: 'shamir' })
  requireFinding(findings, 'seal', 'failed', /the root key is not open/, /trent init/)
  assert.match(findings[0]?.found ?? '', /^sealed, version/)
  await end(server, 'SIGTERM')
})

test('a wrong setting is told, and nothing else is checked', async (t) => {
  const folder = copy(t)
  const { code, healthy, findings } = await reported(t, folder, { TRENT_LISEN: 'x' })
  assert.deepEqual({ code, healthy }, { code: 1, healthy: false })
  requireFinding(findings, 'settings', 'failed', /did you mean TRENT_LISTEN/, /settings\.md/)
  assert.equal(findings.filter(({ state }) => state === 'skipped').length, 8)

  const file = join(folder, 'trent.env')
  writeFileSync(file, 'TRENT_METRICS_TOKEN=0123456789abcdef\nTRENT_APPLY=absent.yaml\n')
  chmodSync(file, 0o644)
  const exposed = await reported(t, folder)
  requireFinding(exposed.findings, 'settings', 'warning', /may read the secrets/, /chmod 600/)
  requireFinding(exposed.findings, 'settings', 'failed', /TRENT_APPLY: ENOENT/, /put the file/)
  writeFileSync(
    file,
    'TRENT_CONSOLE_SIGN_IN=Example:issuer=https://login.example.com;client-id=trent;' +
      `client-secret-file=${join(folder, 'absent')}\n`,
  )
  const unready = await reported(t, folder)
  const secret =
    /TRENT_CONSOLE_SIGN_IN: the client secret of Example: \S+absent cannot be read: ENOENT/
  requireFinding(unready.findings, 'settings', 'failed', secret, /put the secret of the client/)
  writeFileSync(join(folder, 'absent'), 's3cret\n', { mode: 0o600 })
  assert.equal((await reported(t, folder)).code, 0)
  writeFileSync(file, 'TRENT_REGION=us-west-2\n')
  assert.equal((await reported(t, folder)).findings[1]?.check, 'server')
  chmodSync(file, 0o666)
  const open = await reported(t, folder)
  assert.equal(open.code, 0)
  requireFinding(open.findings, 'settings', 'warning', /other users may write/, /chmod 600/)
})

test('text from outside does not reach the terminal raw', async (t) => {
  const folder = temporaryFolder(t)
  const hostile = join(folder, '\u001B[31m\u009B')
  writeFileSync(join(folder, 'file'), '')
  const settings = { ...freePort(folder), TRENT_BACKUP_DIR: join(folder, 'file', hostile) }
  const { stdout } = await trentEnded(t, ['doctor'], settings, folder)
  assert.match(stdout, /TRENT_BACKUP_DIR: .*file is not a directory/)
  const named = await trentEnded(
    t,
    ['doctor'],
    { ...freePort(folder), TRENT_BACKUP_DIR: hostile },
    folder,
  )
  assert.match(named.stdout, /\\u001b\[31m\\u009b does not exist/)
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  assert.doesNotMatch(stdout + named.stdout, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
})

test('PostgreSQL is checked with its clock, stopped and running', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'settings'), '')
  const { url, admin } = await testDatabase(t, testedVersions[0] ?? 0)
  const settings = { TRENT_DATABASE_URL: url }
  requireFinding(await examined(folder, settings), 'database', 'ok', /no deployment yet/)
  const server = await ready(trent(t, ['serve'], { ...freePort(folder), ...settings }, folder))
  requireFinding(await examined(folder, settings), 'database', 'ok', /can be read/)
  await end(server, 'SIGTERM')
  const had = await admin('SELECT seq::int AS seq FROM change_head')
  const findings = await examined(folder, settings)
  requireFinding(findings, 'clock', 'ok', /^\d{4}-[^;]+$/)
  requireFinding(findings, 'seal', 'ok', /opens the root key/)
  assert.deepEqual(await admin('SELECT seq::int AS seq FROM change_head'), had)
  await admin('CREATE TABLE planted (x int)')
  requireFinding(await examined(folder, settings), 'database', 'failed', /planted/)
})
