/** XKS proxies that Trent serves while it cannot: sealed, without a disk, and for a client without a certificate. @module */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { nodeFiles } from '../../src/disk/files.ts'
import { startTestServer } from '../harness.ts'
import { proxyCredential, proxyHost, proxyPath } from '../keystores/external/fake-proxy.ts'
import { certified } from '../wire/certificate.ts'
import { said } from './external-answers.ts'
import { connect, makeExternalKey, makeStore, type ExternalWorld } from './external-store.ts'
import { makeKey, refused } from './sdk.ts'
import {
  callProxy,
  decryptBody,
  encryptBody,
  failed,
  startServedProxy,
  type ProxyAnswer,
} from './served-proxy.ts'

const both = ['ENCRYPT', 'DECRYPT']

test('a sealed server says that it is away, and serves when it is unsealed', async (t) => {
  const world = await startServedProxy(t, { settings: { TRENT_SEAL: 'shamir' } })
  const away = [503, 'DependencyTimeoutException']
  const none = {
    configuration: {
      XksProxyUriPath: proxyPath,
      XksProxyAuthenticationCredential: proxyCredential,
    },
  }
  assert.deepEqual(failed(await callProxy(world, none, 'health', {})), away)
  const made = await world.operate('Initialize', { shares: 3, threshold: 2 })
  const { shares } = made as { readonly shares: readonly string[] }
  assert.deepEqual(failed(await callProxy(world, none, 'keys/a/encrypt', encryptBody)), away)
  // The first opening needs every share.
  for (const secret of shares) await world.operate('Unseal', { secret })
  await world.server.server.ready
  assert.deepEqual(failed(await callProxy(world, none, 'health', {})), [
    404,
    'InvalidUriPathException',
  ])
  const { keyId } = await makeKey(world.kms)
  const proxy = await world.createProxy('first', { keys: [{ keyId, usages: both }] })
  assert.equal((await callProxy(world, proxy, `keys/${keyId}/encrypt`, encryptBody)).status, 200)
})

test('a call whose record cannot be written gets an internal error and nothing else', async (t) => {
  let isFull = false
  const journalFiles: typeof nodeFiles = {
    ...nodeFiles,
    async createDurable(path) {
      const file = await nodeFiles.createDurable(path)
      const write: typeof file.write = async (...given) => {
        if (isFull) throw Object.assign(new Error('ENOSPC: of the test'), { code: 'ENOSPC' })
        return file.write(...given)
      }
      return { ...file, write }
    },
  }
  const world = await startServedProxy(t, { journalFiles })
  const { keyId } = await makeKey(world.kms)
  const proxy = await world.createProxy('first', { keys: [{ keyId, usages: both }] })
  const call = (rest: string, body: unknown): Promise<ProxyAnswer> =>
    callProxy(world, proxy, rest, body)
  const encrypted = await call(`keys/${keyId}/encrypt`, encryptBody)
  assert.equal(encrypted.status, 200)
  const decrypt = (): Promise<ProxyAnswer> =>
    call(`keys/${keyId}/decrypt`, decryptBody(encrypted.body))
  isFull = true
  // `failed` refuses an answer that has more than the error.
  assert.deepEqual(failed(await decrypt()), [500, 'InternalException'])
  isFull = false
  const until = performance.now() + 60_000
  for (;;) {
    const { status, body } = await decrypt()
    if (status === 200) {
      assert.deepEqual(body, { plaintext: encryptBody.plaintext })
      break
    }
    assert.equal(status, 500)
    assert.ok(performance.now() < until, 'the disk has space, and no call is served')
  }
})

test('with authorities for clients, a signature alone is not enough', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trent-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const [own, stranger] = [await certified('client'), await certified('client')]
  const world = await startServedProxy(t, {
    settings: { TRENT_XKS_PROXY_TLS_CLIENT_CA: await write('clients.pem', own.authority) },
  })
  const { keyId } = await makeKey(world.kms)
  const proxy = await world.createProxy('first', { keys: [{ keyId, usages: both }] })
  const encrypt = (client?: typeof own): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/encrypt`, encryptBody, client && { client })
  await assert.rejects(encrypt(), /certificate required|ECONNRESET|socket hang up/)
  await assert.rejects(encrypt(stranger), /unknown ca|ECONNRESET|socket hang up/)
  assert.equal((await encrypt(own)).status, 200)

  const inner = async (client: object): Promise<Pick<ExternalWorld, 'server' | 'kms'>> => {
    const server = await startTestServer({
      TRENT_XKS_ENDPOINTS: `${proxyHost}=127.0.0.1:${world.port}`,
      TRENT_XKS_CA: await write('proxy.pem', world.authority),
      TRENT_TEST_API: 'on',
      ...client,
    })
    t.after(() => server.stop())
    return { server, kms: server.client() }
  }
  const { kms: unknown } = await inner({})
  await refused(
    makeStore(unknown, proxy.configuration),
    'XksProxyUriUnreachableException',
    said['AWS KMS cannot establish a TLS connection'],
  )
  const known = await inner({
    TRENT_XKS_CLIENT_CERT: await write('client.pem', own.cert),
    TRENT_XKS_CLIENT_KEY: await write('client.key', own.key),
  })
  const { kms } = known
  const storeId = await makeStore(kms, proxy.configuration)
  assert.equal(await connect(known, storeId), 'CONNECTED')
  const KeyId = await makeExternalKey(kms, storeId, keyId)
  const Plaintext = Buffer.from('x')
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
})
