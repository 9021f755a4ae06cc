/** Connections to PostgreSQL: TLS, the password, and what is refused. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseDatabaseUrl } from '../../../src/store/postgres/database-url.ts'
import { openSession } from '../../../src/store/postgres/postgres-session.ts'
import { temporaryFolder } from '../engines.ts'
import { openedSession, sessionSettings } from './opened-session.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'
import { serverWithTls } from './tls-server.ts'

const [version = 0] = testedVersions

test('a server proves itself by a certificate for its host name', { skip }, async (t) => {
  const { superuser, password, port, authority: issuer } = await serverWithTls(t, version)
  const authority = join(temporaryFolder(t), 'authority.pem')
  writeFileSync(authority, issuer)
  const at = (host: string): string =>
    `postgres://${superuser}:${password}@${host}:${port}/postgres`
  const trusted = `sslmode=verify-full&sslrootcert=${authority}`
  const session = await openedSession(t, `${at('localhost')}?${trusted}`)
  const { rows } = await session.run('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', [])
  assert.deepEqual(rows, [{ ssl: true }])
  const refused = (url: string, why: RegExp): Promise<void> =>
    assert.rejects(openSession(parseDatabaseUrl(url), sessionSettings), { message: why })
  await refused(`${at('127.0.0.1')}?${trusted}`, /does not match certificate/)
  await refused(`${at('localhost')}?sslmode=verify-full`, /self-signed certificate/)
  const missing = `sslmode=verify-full&sslrootcert=${authority}.missing`
  await refused(`${at('localhost')}?${missing}`, /ENOENT/)
})

test('a server without TLS is refused where TLS is asked for', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const asked = parseDatabaseUrl(`${url}?sslmode=verify-full`)
  await assert.rejects(openSession(asked, sessionSettings), /does not support SSL/)
})

test('a wrong password and a missing database are told with the host', { skip }, async (t) => {
  const { url, port } = await testDatabase(t, version)
  const refused = (wrong: string, why: string): Promise<void> =>
    assert.rejects(openSession(parseDatabaseUrl(wrong), sessionSettings), {
      message: `no primary could be reached: 127.0.0.1:${port}: ${why}`,
    })
  const { user, database } = parseDatabaseUrl(url)
  const wrong = url.replace(/:[0-9a-f]+@/, ':hunter2@')
  await refused(wrong, `password authentication failed for user "${user}"`)
  await refused(url.replace(/[^/]+$/, 'absent'), 'database "absent" does not exist')
  assert.notEqual(database, 'absent')
})

test('a host that accepts a connection and says nothing is left in time', async (t) => {
  const { createServer } = await import('node:net')
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => void silent.once('listening', resolve))
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  const address = parseDatabaseUrl(`postgres://trent:x@127.0.0.1:${port}/keys`)
  const began = performance.now()
  await assert.rejects(
    openSession(address, { ...sessionSettings, connectMaxMs: 200 }),
    /no primary/,
  )
  assert.ok(performance.now() - began < 5000)
})
