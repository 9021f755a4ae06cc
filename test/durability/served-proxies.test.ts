/** XKS proxies that a server has served, on another machine: from a backup and the log. @module */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RotatedCredential } from '../../src/operations/trent/rotate-xks-proxy-credential.ts'
import {
  callProxy,
  decryptBody,
  encryptBody,
  failed,
  startServedProxy,
  type ProxyAnswer,
} from '../compat/served-proxy.ts'
import { makeKey } from '../compat/sdk.ts'
import { temporaryFolder, trentEnded } from '../start/serve-process.ts'

const both = ['ENCRYPT', 'DECRYPT']

test('clients go on with a restored server, without what was revoked since the backup', async (t) => {
  const folder = temporaryFolder(t)
  const [here, there] = [join(folder, 'here'), join(folder, 'there')]
  mkdirSync(here)
  const settings = { TRENT_SEAL: `file:${join(folder, 'seal.key')}` }
  const trent = async (directory: string, ...parameters: string[]): Promise<void> => {
    const all = {
      ...settings,
      TRENT_DATA_DIR: directory,
      TRENT_OPERATOR_DIR: join(directory, 'door'),
      TRENT_LISTEN: '127.0.0.1:0',
    }
    const { code, stderr } = await trentEnded(t, parameters, all, folder)
    assert.equal(code, 0, stderr)
  }
  const lost = await startServedProxy(t, { settings, directory: here })
  const [kept, withdrawn, narrowed] = [
    (await makeKey(lost.kms)).keyId,
    (await makeKey(lost.kms)).keyId,
    (await makeKey(lost.kms)).keyId,
  ]
  const keys = [kept, withdrawn, narrowed].map((keyId) => ({ keyId, usages: both }))
  const old = await lost.createProxy('kept', { keys })
  const { proxyId } = old
  const fresh = (await lost.operate('RotateXksProxyCredential', { proxyId })) as RotatedCredential
  const ended = await lost.createProxy('ended', { keys })
  const encrypted = await callProxy(lost, fresh, `keys/${kept}/encrypt`, encryptBody)
  assert.equal(encrypted.status, 200)

  await trent(here, 'backup', 'backup')
  const [accessKeyId] = fresh.otherAccessKeyIds
  await lost.operate('RevokeXksProxy', { proxyId, accessKeyId })
  await lost.operate('RevokeXksProxy', { proxyId, keyId: withdrawn })
  await lost.operate('ExportXksKey', { proxyId, keyId: narrowed, usages: ['DECRYPT'] })
  await lost.operate('RevokeXksProxy', { proxyId: ended.proxyId })
  await lost.server.stop('keep')
  await trent(there, 'restore', 'backup', '--journal', join(here, 'journal'))

  const next = await startServedProxy(t, { settings, directory: there })
  const encrypt = (keyId: string, proxy: typeof old | typeof fresh): Promise<ProxyAnswer> =>
    callProxy(next, proxy, `keys/${keyId}/encrypt`, encryptBody)
  const decrypt = (proxy: typeof old | typeof fresh): Promise<ProxyAnswer> =>
    callProxy(next, proxy, `keys/${kept}/decrypt`, decryptBody(encrypted.body))
  const opened = { status: 200, body: { plaintext: encryptBody.plaintext } }
  assert.deepEqual(await decrypt(fresh), opened)
  assert.equal((await encrypt(kept, fresh)).status, 200)
  assert.deepEqual(failed(await decrypt(old)), [401, 'AuthenticationFailedException'])
  assert.deepEqual(failed(await decrypt(ended)), [404, 'InvalidUriPathException'])
  assert.deepEqual(failed(await encrypt(withdrawn, fresh)), [404, 'KeyNotFoundException'])
  assert.deepEqual(failed(await encrypt(narrowed, fresh)), [400, 'InvalidKeyUsageException'])
  // A proxy that is made after a disaster opens what the lost one encrypted.
  const made = await next.createProxy('new', { keys: [{ keyId: kept, usages: ['DECRYPT'] }] })
  assert.deepEqual(await decrypt(made), opened)
})
