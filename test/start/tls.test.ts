/** `trent serve` with TLS as a process: its start, SIGHUP, and the files that stop it. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { writtenTls } from '../tls/files.ts'
import { certified, type Certified } from '../wire/certificate.ts'
import { refusal } from './refusal.ts'
import { end, serve, temporaryFolder, type Serving } from './serve-process.ts'

let own: Certified
let other: Certified
before(async () => {
  ;[own, other] = await Promise.all([certified('localhost'), certified('localhost')])
})

/** The fingerprint of the certificate that a new connection gets. */
function served(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      ca: [own.authority, other.authority],
      servername: 'localhost',
    }
    const socket = connect(options, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

/** Waits until a line of the log matches. */
async function said({ child, stderr }: Serving, pattern: RegExp): Promise<void> {
  while (!pattern.test(stderr())) {
    assert.deepEqual([child.exitCode, child.signalCode], [null, null], stderr())
    await sleep(25)
  }
}

test('SIGHUP brings other certificates into use, and never ends the server', async (t) => {
  const folder = temporaryFolder(t)
  const written = writtenTls(t, own)
  const server = await serve(t, folder, written.settings)
  assert.match(server.url, /^https:/)
  assert.match(server.stdout(), /export AWS_ENDPOINT_URL=https:\/\/127\.0\.0\.1:\d+\n/)
  const first = await served(server.port)
  written.write({ cert: other.cert, key: own.key })
  server.child.kill('SIGHUP')
  await said(server, /new TLS files are refused/)
  assert.equal(await served(server.port), first)
  written.write(other)
  server.child.kill('SIGHUP')
  await said(server, /other TLS certificates are in use/)
  assert.notEqual(await served(server.port), first)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

test('SIGHUP does not end a server that has TLS at its port for unsealing alone', async (t) => {
  const { paths, write } = writtenTls(t, own)
  const server = await serve(t, temporaryFolder(t), {
    TRENT_UNSEAL_LISTEN: '127.0.0.1:0',
    TRENT_UNSEAL_TLS_CERT: paths.cert,
    TRENT_UNSEAL_TLS_KEY: paths.key,
  })
  assert.match(server.url, /^http:/)
  write(other)
  server.child.kill('SIGHUP')
  await said(server, /other TLS certificates are in use/)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

test('files that cannot be used stop the start in one line, before anything is made', async (t) => {
  const folder = temporaryFolder(t)
  const expired = await certified('localhost', {
    notBefore: new Date(Date.now() - 2 * 86_400_000),
    notAfter: new Date(Date.now() - 86_400_000),
  })
  const { settings } = writtenTls(t, expired)
  assert.match(await refusal(t, folder, settings), /^TRENT_TLS_CERT: \S+ expired on /)
  const mixed = writtenTls(t, { ...own, key: other.key })
  assert.match(await refusal(t, folder, mixed.settings), /^TRENT_TLS_KEY: \S+ is not the key of/)
  assert.equal(existsSync(join(folder, 'data')), false)
})
