/** What each check of `trent doctor` finds: failures, warnings, and the same check when all is well. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { examine } from '../../src/cli/doctor.ts'
import { clockOutcomes } from '../../src/cli/doctor/clock.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { tlsOutcomes } from '../../src/cli/doctor/ports.ts'
import { loadConfig } from '../../src/config.ts'
import { examined, requireFinding, stoppedDeployment } from './doctor-findings.ts'
import { freePort, temporaryFolder } from './serve-process.ts'
import { writtenTls } from '../tls/files.ts'
import { certified } from '../wire/certificate.ts'

const copy = stoppedDeployment()

test('a socket that something else answers fails', async (t) => {
  const folder = copy(t)
  const other = createServer((_, response) => response.end('hello'))
  other.listen(join(folder, 'data', 'operator.sock'))
  await once(other, 'listening')
  const findings = await examined(folder)
  other.close()
  requireFinding(findings, 'server', 'failed', /not Trent/, /run this as the server's user/)
  assert.equal(findings.find(({ check }) => check === 'seal')?.state, 'skipped')
})

test('directories that others may change, or that this user may not use, fail', async (t) => {
  const folder = copy(t)
  const data = join(folder, 'data')
  chmodSync(data, 0o777)
  requireFinding(await examined(folder), 'permissions', 'failed', /every user may write to/)
  chmodSync(data, 0o700)
  chmodSync(join(data, 'credentials'), 0o644)
  requireFinding(await examined(folder), 'permissions', 'failed', /every user may read/)
  chmodSync(join(data, 'credentials'), 0o600)
  const door = join(folder, 'door')
  mkdirSync(door)
  chmodSync(door, 0o777)
  const operators = await examined(folder, { TRENT_OPERATOR_DIR: door })
  requireFinding(operators, 'permissions', 'failed', /TRENT_OPERATOR_DIR: others than the server/)
  writeFileSync(join(folder, 'file'), '')
  const backups = await examined(folder, { TRENT_BACKUP_DIR: join(folder, 'file') })
  requireFinding(backups, 'permissions', 'failed', /TRENT_BACKUP_DIR: .* is not a directory/)
  const open = await examined(folder, { TRENT_BACKUP_DIR: door })
  requireFinding(open, 'permissions', 'failed', /TRENT_BACKUP_DIR: every user may write to/)
  const made = await examined(folder, { TRENT_AUDIT_DIR: join(folder, 'a', 'b') })
  requireFinding(made, 'permissions', 'ok', /TRENT_AUDIT_DIR: .* does not exist; a start makes it/)
  if (process.geteuid?.() !== 0) {
    const roots = await examined(folder, { TRENT_BACKUP_DIR: '/proc' })
    requireFinding(roots, 'permissions', 'failed', /may not write to \/proc/, /chown/)
    return
  }
  chownSync(data, 12_345, 12_345)
  requireFinding(
    await examined(folder),
    'permissions',
    'warning',
    /belongs to user 12345/,
    /run this/,
  )
})

test('certificates that are missing, or that expire, are told', async (t) => {
  const folder = temporaryFolder(t)
  const notAfter = new Date(Date.now() + 30 * 86_400_000)
  const written = writtenTls(t, await certified('localhost', { notAfter }))
  const config = loadConfig({ ...freePort(folder), ...written.settings })
  const at = async (now: number): Promise<string> => {
    const [{ state, found } = { state: 'skipped', found: '' }] = await tlsOutcomes(config, now)
    return `${state} ${found}`
  }
  assert.match(await at(Date.now()), /^ok .*server\.pem is valid until /)
  assert.match(await at(notAfter.getTime() - 86_400_000), /^warning .* is valid until /)
  assert.match(await at(notAfter.getTime() + 1000), /^failed TRENT_TLS_CERT: .* expired on /)
  rmSync(written.paths.key)
  assert.match(await at(Date.now()), /^failed TRENT_TLS_KEY: .* is missing/)
  const plain = loadConfig({ TRENT_LISTEN: '0.0.0.0:0', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' })
  assert.match(JSON.stringify(await tlsOutcomes(plain, 0)), /warning.*plain HTTP on 0\.0\.0\.0/)
})

test('a port in use, and an address of another machine, fail', async (t) => {
  const folder = copy(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo // it listens
  const used = await examined(folder, { TRENT_LISTEN: `127.0.0.1:${port}` })
  other.close()
  await once(other, 'close')
  requireFinding(used, 'ports', 'failed', /in use by another program/, /ss -ltnp/)
  const free = await examined(folder, { TRENT_LISTEN: `127.0.0.1:${port}` })
  requireFinding(free, 'ports', 'ok', /is free$/)
  const away = { TRENT_LISTEN: '192.0.2.1:4599', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' }
  requireFinding(await examined(folder, away), 'ports', 'failed', /not an address of this machine/)
})

test('a disk without room fails, and one with little is a warning', async (t) => {
  const config = loadConfig(freePort(copy(t)))
  const withRoom = (mebibytes: number): Promise<readonly Finding[]> =>
    examine(config, { freeBytes: () => Promise.resolve(mebibytes * 2 ** 20) })
  requireFinding(await withRoom(255), 'disk', 'failed', /255 MiB are free/, /free some room/)
  requireFinding(await withRoom(256), 'disk', 'warning', /256 MiB/, /free some room/)
  requireFinding(await withRoom(1024), 'disk', 'ok', /1024 MiB/)
})

test('a database that is gone, damaged, changed or held by another process fails', async (t) => {
  const folder = copy(t)
  const file = join(folder, 'data', 'trent.db')
  const held = new DatabaseSync(file)
  held.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  requireFinding(await examined(folder), 'database', 'failed', /another process has/, /fuser/)
  held.exec('ROLLBACK; CREATE TABLE planted (x)')
  held.close()
  requireFinding(await examined(folder), 'database', 'failed', /planted/)
  writeFileSync(file, Buffer.alloc(8192, 'no database'))
  const damaged = await examined(folder)
  requireFinding(damaged, 'database', 'failed', /not a database/, /backup-and-repair\.md/)
  assert.match(damaged.at(-1)?.found ?? '', /the database cannot be read/)
  rmSync(file)
  requireFinding(await examined(folder), 'database', 'failed', /trent\.db is missing/)
})

test('PostgreSQL that cannot be reached fails without its password', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'settings'), '')
  const url = 'postgres://trent:hunter2@127.0.0.1:1/trent'
  const findings = await examined(folder, { TRENT_DATABASE_URL: url })
  requireFinding(findings, 'database', 'failed', /no primary could be reached/, /postgresql\.md/)
  assert.ok(!JSON.stringify(findings).includes('hunter2'))
})

test('a clock that is behind, far ahead, held or unlike the database’s is told', async (t) => {
  const folder = copy(t)
  const database = new DatabaseSync(join(folder, 'data', 'trent.db'))
  database.exec('UPDATE clock_mark SET reached = reached + 3600000')
  database.close()
  requireFinding(
    await examined(folder),
    'clock',
    'failed',
    /seconds behind the last/,
    /time server/,
  )
  const now = Date.UTC(2026, 10, 30)
  const told = (of: Partial<Parameters<typeof clockOutcomes>[0]>): string =>
    clockOutcomes({ now, held: undefined, stored: undefined, ...of })
      .map(({ state, found, todo }) => `${state}: ${found}${todo === undefined ? '' : `: ${todo}`}`)
      .join('\n')
  assert.match(
    told({ stored: { clockMark: now - 8 * 86_400_000 } }),
    /^warning: .* 8 days .*accept/,
  )
  assert.match(told({ stored: { clockMark: now + 60_000 } }), /^ok/)
  assert.match(told({ held: 'the clock was set' }), /^warning: the clock was set: .*clock accept/)
  const offset = { ms: 90_000, errorMs: 5 }
  assert.match(told({ stored: { offset } }), /^failed: the clock of this node is 90 seconds ahead/)
  assert.match(told({ stored: { offset: { ms: 900, errorMs: 5 } } }), /^ok/)
})

test('a seal that cannot open the root key fails, and one that people open does not', async (t) => {
  const folder = copy(t)
  const key = join(folder, 'data', 'seal.key')
  const bytes = readFileSync(key)
  chmodSync(key, 0o644)
  requireFinding(await examined(folder), 'seal', 'failed', /is open to other users: chmod 600/)
  chmodSync(key, 0o600)
  writeFileSync(key, Buffer.alloc(32, 1))
  requireFinding(
    await examined(folder),
    'seal',
    'failed',
    /does not open this deployment's root key/,
  )
  writeFileSync(key, bytes.subarray(1))
  requireFinding(await examined(folder), 'seal', 'failed', /has 31 bytes/)
  rmSync(key)
  requireFinding(await examined(folder), 'seal', 'failed', /seal\.key is missing/, /seals\.md/)
  writeFileSync(key, bytes, { mode: 0o600 })
  const other = await examined(folder, { TRENT_SEAL: 'passphrase' })
  requireFinding(other, 'seal', 'failed', /sealed by file, and TRENT_SEAL is passphrase/)
  const fresh = temporaryFolder(t)
  writeFileSync(join(fresh, 'settings'), '')
  const apart = await examined(fresh, { TRENT_SEAL: `file:${fresh}/absent/seal.key` })
  requireFinding(apart, 'seal', 'failed', /does not exist/, /make .*absent/)
  const people = await examined(fresh, { TRENT_SEAL: 'passphrase' })
  requireFinding(people, 'seal', 'skipped', /no root key yet/)
})
