/** Which files of TLS are taken, and what the operator reads about the others. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { readTls, TlsRefused } from '../../src/tls/read-files.ts'
import { certified, type Certified } from '../wire/certificate.ts'
import { writtenTls } from './files.ts'

/** Later than any certificate that the tests make: theirs are valid from the second in which they are made. */
const now = Date.now() + 60_000
const day = 86_400_000
let own: Certified
let other: Certified
before(async () => {
  ;[own, other] = await Promise.all([certified('localhost'), certified('localhost')])
})

test('a certificate, its chain and its key are taken, and the first expiry counts', async (t) => {
  const soon = new Date(Math.floor(now / 1000) * 1000 + 3 * day)
  const files = await certified('localhost', { notAfter: soon })
  const { paths, authority } = writtenTls(t, files)
  const taken = await readTls({ ...paths, clientCa: authority }, now)
  assert.equal(taken.expiresAt, soon.getTime())
  const { cert, key, authority: clientCa } = files
  assert.deepEqual(taken.files, { cert, key: Buffer.from(key), clientCa })
  await assert.rejects(readTls(paths, soon.getTime()), /expired on/)
})

test('a file that is written in part is refused, and not taken up to there', async (t) => {
  const { paths, folder } = writtenTls(t, own)
  const path = join(folder, 'clients.pem')
  const both = `one\n${own.authority}\n-- two --\n${other.authority}\n`
  const reading = (text: string) => {
    writeFileSync(path, text)
    return readTls({ ...paths, clientCa: path }, now)
  }
  assert.equal((await reading(both)).files.clientCa, both)
  const second = both.lastIndexOf('-----BEGIN')
  for (const text of [
    both.slice(0, second + 6),
    both.slice(0, second + 20),
    both.slice(0, -200),
    both.slice(0, -5),
    both.replace('-----BEGIN', '----BEGIN'),
    both.replace('-----END CERTIFICATE-----', ''),
  ]) {
    await assert.rejects(reading(text), /^Error: TRENT_TLS_CLIENT_CA: \S+ holds a part of a cert/)
  }
  // The certificate and its key may be in one file.
  writeFileSync(paths.cert, `${own.cert}\n${own.key}\n`)
  assert.ok(await readTls(paths, now))
  const begun = own.cert.indexOf('-----BEGIN', 1) + 15
  writeFileSync(paths.cert, own.cert.slice(0, begun))
  await assert.rejects(readTls(paths, now), /^Error: TRENT_TLS_CERT: \S+ holds a part of a cert/)
})

test('a key that the group may read is taken from root only', async (t) => {
  const { paths } = writtenTls(t, own)
  for (const [mode, taken] of [
    [0o600, true],
    [0o400, true],
    [0o440, process.geteuid?.() === 0],
    [0o640, process.geteuid?.() === 0],
    [0o660, false],
    [0o604, false],
    [0o644, false],
  ] as const) {
    chmodSync(paths.key, mode)
    const reading = readTls(paths, now)
    if (taken) assert.deepEqual((await reading).files.key, Buffer.from(own.key))
    else
      await assert.rejects(
        reading,
        /^Error: TRENT_TLS_KEY: \S+ is open to other users: chmod 600 it$/,
      )
  }
})

test('a symbolic link is followed, as Kubernetes mounts its secrets', async (t) => {
  const { paths, folder } = writtenTls(t, own)
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  symlinkSync(paths.cert, cert)
  symlinkSync(paths.key, key)
  assert.equal((await readTls({ cert, key }, now)).files.cert, own.cert)
})

test('each wrong file is one line that names the setting and the path', async (t) => {
  const { paths, folder } = writtenTls(t, own)
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const [early, late, small] = await Promise.all([
    certified('localhost', { notBefore: new Date(now + day), notAfter: new Date(now + 2 * day) }),
    certified('localhost', { notBefore: new Date(now - 2 * day), notAfter: new Date(now - day) }),
    certified('localhost', {}, 1024),
  ])
  const locked = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  }).privateKey
  mkdirSync(join(folder, 'directory'))
  const pair = (name: string, { cert, key }: Certified) => ({
    cert: file(`${name}.pem`, cert),
    key: file(`${name}.key`, key),
  })
  for (const [given, expected] of [
    [{ cert: join(folder, 'absent') }, /^TRENT_TLS_CERT: \S+absent is missing$/],
    [{ key: join(folder, 'absent') }, /^TRENT_TLS_KEY: \S+absent is missing$/],
    [{ cert: join(folder, 'directory') }, /^TRENT_TLS_CERT: \S+directory is not a file$/],
    [{ key: '/dev/zero' }, /^TRENT_TLS_KEY: \/dev\/zero is not a file$/],
    [{ cert: file('empty', '') }, /^TRENT_TLS_CERT: \S+ holds no certificate in PEM$/],
    [{ cert: file('long', 'x'.repeat(2 ** 20 + 1)) }, /is larger than 1 MiB$/],
    [
      { cert: file('torn', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') },
      /^TRENT_TLS_CERT: \S+ holds a certificate that cannot be read$/,
    ],
    [{ key: file('no-key', 'hello') }, /^TRENT_TLS_KEY: \S+ holds no private key in PEM$/],
    [{ key: file('locked', locked) }, /^TRENT_TLS_KEY: \S+ has a passphrase: remove it$/],
    [
      { key: file('other.key', other.key) },
      /^TRENT_TLS_KEY: \S+ is not the key of the first certificate in \S+server\.pem$/,
    ],
    // The authority's certificate first: the key is not its own.
    [
      { cert: file('order.pem', own.authority + own.cert) },
      /is not the key of the first certificate in \S+order\.pem$/,
    ],
    [pair('early', early), /^TRENT_TLS_CERT: \S+early\.pem is not valid before 20\S+Z$/],
    [pair('late', late), /^TRENT_TLS_CERT: \S+late\.pem expired on 20\S+Z$/],
    [pair('small', small), /^TRENT_TLS_CERT: \S+small\.pem cannot be used: .*key too small$/],
    [{ clientCa: join(folder, 'absent') }, /^TRENT_TLS_CLIENT_CA: \S+absent is missing$/],
    [
      { clientCa: file('leaf', own.cert) },
      /^TRENT_TLS_CLIENT_CA: \S+ holds CN=server, which is no authority$/,
    ],
  ] as const) {
    await assert.rejects(readTls({ ...paths, ...given }, now), (error: unknown) => {
      assert.ok(error instanceof TlsRefused)
      assert.match(error.message, expected)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  }
  await readTls(paths, now)
})
