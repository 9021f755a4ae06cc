/** `trent certificate`: what it makes, what clients of several kinds think of it, and its renewal. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { readTls } from '../../src/tls/read-files.ts'
import { makeAuthority, makeServerCertificate } from '../../src/tls/make.ts'
import { temporaryFolder, trentEnded } from '../start/serve-process.ts'
import { running } from '../wire/running-listener.ts'

const now = Date.now()
const day = 86_400_000

test('a made certificate is of the authority, for each of its names, and for no other', async (t) => {
  const authority = await makeAuthority(now)
  const names = ['kms.internal', '*.kms.example', '10.0.0.7', 'fd00::1:7', '::1']
  const made = await makeServerCertificate({ authority, names, days: 30, now })
  const [own, ca] = [new X509Certificate(made.cert), new X509Certificate(authority.cert)]
  assert.ok(own.checkIssued(ca) && own.verify(ca.publicKey) && ca.verify(ca.publicKey))
  assert.deepEqual([own.ca, ca.ca], [false, true])
  assert.deepEqual(own.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(Math.round((own.validToDate.getTime() - now) / day), 30)
  for (const host of ['kms.internal', 'a.kms.example'])
    assert.equal(own.checkHost(host) !== undefined, true)
  for (const ip of ['10.0.0.7', 'fd00::1:7', '::1']) assert.equal(own.checkIP(ip), ip)
  assert.equal(own.checkHost('kms.example'), undefined)
  assert.equal(own.checkIP('10.0.0.8'), undefined)
  assert.equal(own.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  const tls = { cert: made.cert, key: Buffer.from(made.key) }
  const listener = await running(t, {}, undefined, { host: '127.0.0.1', port: 0, tls })
  await new Promise<void>((resolve, reject) => {
    const options = { port: listener.port, ca: authority.cert, servername: 'kms.internal' }
    const socket = connect(options, () => resolve(socket.destroy() && undefined))
    socket.on('error', reject)
  })
})

test('openssl verifies what was made, strictly, as Python and Go do', async (t) => {
  const folder = temporaryFolder(t)
  const made = await trentEnded(t, ['certificate', '--name', 'kms.internal', '--json'], {}, folder)
  assert.equal(made.code, 0, made.stderr)
  const file = (name: string): string => join(folder, 'tls', name)
  const purpose = ['-purpose', 'sslserver', '-verify_hostname', 'kms.internal']
  const verify = [
    'verify',
    '-x509_strict',
    ...purpose,
    '-CAfile',
    file('ca.pem'),
    file('server.pem'),
  ]
  assert.match(execFileSync('openssl', verify).toString(), /: OK/)
  const modes = ['ca.key', 'server.key', 'ca.pem', 'server.pem'].map((name) =>
    (statSync(file(name)).mode & 0o777).toString(8),
  )
  assert.deepEqual(modes, ['600', '600', '644', '644'])
  const { expiresAt } = await readTls({ cert: file('server.pem'), key: file('server.key') }, now)
  assert.equal(Math.round((expiresAt - now) / day), 365)
})

test('the command renews the certificate of the authority that is there, and says how to use it', async (t) => {
  const folder = temporaryFolder(t)
  const read = (name: string): string => readFileSync(join(folder, 'it', name), 'utf8')
  const run = (...more: string[]) =>
    trentEnded(t, ['certificate', '--directory', 'it', ...more], {}, folder)
  const first = await run()
  assert.equal(first.code, 0, first.stderr)
  assert.match(
    first.stdout,
    /for localhost, 127\.0\.0\.1, ::1, until 20\S+Z\.\nIts authority is new\.\n/,
  )
  for (const [name, path] of [
    ['TRENT_TLS_CERT', 'server.pem'],
    ['TRENT_TLS_KEY', 'server.key'],
    ['AWS_CA_BUNDLE', 'ca.pem'],
    ['NODE_EXTRA_CA_CERTS', 'ca.pem'],
  ] as const) {
    assert.ok(first.stdout.includes(`  export ${name}='${join(folder, 'it', path)}'\n`), name)
  }
  const [authority, before] = [read('ca.pem'), read('server.pem')]
  const second = await run('--days', '10')
  assert.match(second.stdout, /Its authority is the one that was there\.\n/)
  assert.equal(read('ca.pem'), authority)
  assert.notEqual(read('server.pem'), before)
  assert.ok(new X509Certificate(read('server.pem')).checkIssued(new X509Certificate(authority)))
  for (const [given, expected] of [
    [['--days', '0'], /^trent: --days must be a whole number from 1 to 825\n$/],
    [['--days', '826'], /^trent: --days must be /],
    [['--name', 'two words'], /^trent: --name: `two words` is not a DNS name or an IP address\n$/],
    [['--name', 'a..b'], /is not a DNS name/],
    [['--name', 'fe80::1%eth0'], /is not a DNS name/],
  ] as const) {
    const refused = await run(...given)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, expected)
  }
  const foreign = (await makeAuthority(now)).key
  for (const text of [foreign, 'no key']) {
    writeFileSync(join(folder, 'it', 'ca.key'), text)
    const refused = await run()
    assert.match(
      refused.stderr,
      /^trent: \S+ca\.pem and \S+ca\.key are not a certificate and its key\n$/,
    )
  }
  rmSync(join(folder, 'it', 'ca.key'))
  const half = await run()
  assert.match(half.stderr, /^trent: there is \S+ca\.pem alone: its other half is missing\n$/)
  assert.deepEqual(readdirSync(join(folder, 'it')).toSorted(), [
    'ca.pem',
    'server.key',
    'server.pem',
  ])
})
