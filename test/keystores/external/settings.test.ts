import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readExternalProxies } from '../../../src/keystores/external/settings.ts'
import { SettingWrong } from '../../../src/webhooks/webhook-settings.ts'
import { certified } from '../../wire/certificate.ts'

test('endpoints are hosts and the addresses where they are', () => {
  const { endpoints } = readExternalProxies({
    TRENT_XKS_ENDPOINTS: 'XKS.example.com=10.0.0.7:8443, other.example.com=[::1]:443,a=b.local:1',
  })
  assert.deepEqual(
    [...endpoints],
    [
      ['xks.example.com', { host: '10.0.0.7', port: 8443 }],
      ['other.example.com', { host: '::1', port: 443 }],
      ['a', { host: 'b.local', port: 1 }],
    ],
  )
  for (const wrong of [
    'xks.example.com',
    'xks.example.com=10.0.0.7',
    'https://xks.example.com=10.0.0.7:443',
    'xks.example.com=10.0.0.7:0',
    'xks.example.com=10.0.0.7:65536',
    'xks.example.com=[10.0.0.7]:443',
    'xks.example.com=10.0.0.7:443,',
  ]) {
    assert.throws(() => readExternalProxies({ TRENT_XKS_ENDPOINTS: wrong }), SettingWrong, wrong)
  }
})

test('authorities and client certificates come from files', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'trent-test-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const fileOf = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  const { authority, cert, key } = await certified('xks.example.com')
  const other = await certified('xks.example.com')
  const ca = fileOf('ca.pem', `# two of them\n${authority}\n${authority}\n`)
  assert.equal(readExternalProxies({ TRENT_XKS_CA: ca }).authorities.length, 2)
  const pair = {
    TRENT_XKS_CLIENT_CERT: fileOf('cert', cert),
    TRENT_XKS_CLIENT_KEY: fileOf('key', key),
  }
  assert.deepEqual(readExternalProxies(pair).client, {
    certificate: cert,
    key: Buffer.from(key),
  })
  assert.throws(() => {
    chmodSync(pair.TRENT_XKS_CLIENT_KEY, 0o644)
    readExternalProxies(pair)
  }, /TRENT_XKS_CLIENT_KEY: .* is open to other users: chmod 600 it/)
  chmodSync(pair.TRENT_XKS_CLIENT_KEY, 0o600)
  const broken = fileOf('broken', authority.replace('MII', 'AAA'))
  for (const wrong of [
    { TRENT_XKS_CA: join(directory, 'missing') },
    { TRENT_XKS_CA: fileOf('empty', '') },
    { TRENT_XKS_CA: broken },
    { TRENT_XKS_CLIENT_CERT: pair.TRENT_XKS_CLIENT_CERT },
    { ...pair, TRENT_XKS_CLIENT_CERT: broken },
    { ...pair, TRENT_XKS_CLIENT_KEY: fileOf('other-key', other.key) },
    { ...pair, TRENT_XKS_CLIENT_KEY: join(directory, 'missing') },
  ]) {
    assert.throws(() => readExternalProxies(wrong), SettingWrong)
  }
})
