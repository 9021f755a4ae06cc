/** The page on TLS: its first certificate, its server, and what `openssl s_client` shows of it. @module */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pageOf } from '../pages.ts'
import { ready, temporaryFolder } from './serve-process.ts'
import { openTerminal } from './terminal.ts'

const java = 'test/tools/tls.tool.ts does it, with the SDK for Java'
const page = pageOf('docs/operations/tls.md', {
  'keytool -importcert -noprompt -alias trent -file tls/ca.pem -keystore tls/trust.p12 -storepass changeit':
    java,
  'java -Djavax.net.ssl.trustStore=tls/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit …':
    java,
})

test('a first certificate, and what openssl sees of the server', async (t) => {
  const folder = temporaryFolder(t)
  const stands: Record<string, string> = { 'npx trent': 'trent', '0.0.0.0:4599': '127.0.0.1:0' }
  const file = join(folder, 'etc/trent/trent.env')
  const terminal = openTerminal(t, folder, {
    stands,
    settings: { TRENT_CONFIG: file, TRENT_LISTEN: '' },
  })
  const { here, type, refused, server } = terminal
  // The command reads no settings.
  await type(page.take('npx trent certificate'))
  for (const name of ['server.pem', 'server.key']) {
    renameSync(join(folder, 'tls', name), join(folder, 'etc/trent', name))
  }
  writeFileSync(file, page.take('TRENT_LISTEN=').map(here).join('\n'))
  await type('trent serve')
  const { port, url } = await ready(server())
  assert.match(url, /^https:/)

  stands['kms.internal:4599'] = `127.0.0.1:${port}`
  const [newest = '', old = '', ...more] = page.take('openssl s_client')
  assert.deepEqual(more, [])
  const shown = await type(newest)
  assert.match(shown, /^New, TLSv1\.3, Cipher is TLS_/m)
  // With X25519MLKEM768 from OpenSSL 3.5 on.
  assert.match(shown, /^(?:(?:Server|Peer) Temp Key|Negotiated TLS1\.3 group): X25519/m)
  // It is the server that refuses.
  assert.match(await refused(old), /alert protocol version/)
  assert.deepEqual(page.left(), [])
})
