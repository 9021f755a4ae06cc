import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { publicTls } from '../../src/tls/setting.ts'
import { readListeners } from '../../src/tls/xks-proxy-setting.ts'
import { SettingWrong } from '../../src/webhooks/webhook-settings.ts'

const own = { TRENT_XKS_PROXY_TLS_CERT: 'x.pem', TRENT_XKS_PROXY_TLS_KEY: 'x-key.pem' }
const shared = {
  TRENT_TLS_CERT: 's.pem',
  TRENT_TLS_KEY: 's-key.pem',
  TRENT_TLS_CLIENT_CA: 's-ca.pem',
}

/** The settings that a message about a file names. */
const names = {
  cert: 'TRENT_XKS_PROXY_TLS_CERT',
  key: 'TRENT_XKS_PROXY_TLS_KEY',
  clientCa: 'TRENT_XKS_PROXY_TLS_CLIENT_CA',
}

test('XKS proxies have an address, and files of their own or those of the public port', () => {
  assert.equal(readListeners({}).xksProxy, undefined)
  const at = { TRENT_XKS_PROXY_LISTEN: '0.0.0.0:8443' }
  const listen = { host: '0.0.0.0', port: 8443 }
  const files = { cert: resolve('x.pem'), key: resolve('x-key.pem'), settings: names }
  assert.deepEqual(readListeners({ ...at, ...own }).xksProxy, { listen, tls: files })
  assert.deepEqual(readListeners({ ...at, ...own, ...shared }).xksProxy, { listen, tls: files })
  // Clients of the public port prove themselves to other authorities than those of the proxies.
  assert.deepEqual(readListeners({ ...at, ...shared }).xksProxy, {
    listen,
    tls: {
      cert: resolve('s.pem'),
      key: resolve('s-key.pem'),
      settings: { ...publicTls, clientCa: names.clientCa },
    },
  })
  const clients = { TRENT_XKS_PROXY_TLS_CLIENT_CA: 'ca.pem' }
  assert.deepEqual(readListeners({ ...at, ...own, ...clients }).xksProxy?.tls, {
    ...files,
    clientCa: resolve('ca.pem'),
  })
})

test('a listener without TLS, half a pair and files without a listener are refused in one line', () => {
  const at = { TRENT_XKS_PROXY_LISTEN: '127.0.0.1:8443' }
  const wrong = [
    [at, /^TRENT_XKS_PROXY_LISTEN needs TLS: set TRENT_XKS_PROXY_TLS_CERT/],
    [{ ...at, TRENT_XKS_PROXY_TLS_CERT: 'x.pem' }, /need each other/],
    [{ ...at, ...shared, TRENT_XKS_PROXY_TLS_KEY: 'x.pem' }, /need each other/],
    [own, /need TRENT_XKS_PROXY_LISTEN/],
    [{ TRENT_XKS_PROXY_TLS_CLIENT_CA: 'ca.pem' }, /need TRENT_XKS_PROXY_LISTEN/],
    [{ TRENT_XKS_PROXY_LISTEN: 'xks.example.com:443', ...own }, /^TRENT_XKS_PROXY_LISTEN must be/],
  ] as const
  for (const [settings, message] of wrong) {
    assert.throws(
      () => readListeners(settings),
      (error) => error instanceof SettingWrong && message.test(error.message),
    )
  }
})
