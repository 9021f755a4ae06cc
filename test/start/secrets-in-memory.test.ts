/**
 * What heap snapshots, diagnostic reports and core images of a server hold: no secret in the first two, and none
 * in the last while the server is sealed.
 * @module
 */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { fileSeal } from '../../src/seals/file.ts'
import type { Seal } from '../../src/seals/seal.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { deploymentUnder } from '../../src/server/root-key.ts'
import { openDatabase } from '../../src/store/open.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { importing } from '../compat/importing.ts'
import { realRandom } from '../crypto/fixed.ts'
import { writtenTls } from '../tls/files.ts'
import { certified } from '../wire/certificate.ts'
import {
  foundIn,
  foundInMemory,
  memoryOf,
  newFile,
  textSecret,
  type Secrets,
} from './memory-search.ts'
import { end, freePort, ready, temporaryFolder, trent, type Running } from './serve-process.ts'

/** The root key and the domain keys, as the database and its seal give them. */
async function rootKeys(
  folder: string,
  seal: Seal,
  given: readonly string[] = [],
): Promise<Secrets> {
  const database = await openDatabase({ path: join(folder, 'data', 'trent.db') })
  const record = (await readDeployment(database)) ?? assert.fail('there is no deployment')
  await database.close()
  const opening = seal.open(record.seal.sealedRootKey, record.deploymentId)
  let rootKey = seal.asks === 'nothing' ? await opening.give() : undefined
  for (const secret of given) rootKey = await opening.give(Buffer.from(secret))
  assert.ok(rootKey)
  const { domainKeys } = deploymentUnder(rootKey, record)
  return new Map([
    ['root key', rootKey.export()],
    ...domainKeys.map(({ version, key }) => [`domain key ${version}`, key.export()] as const),
  ])
}

/** Uses keys of several kinds, and returns the material that was imported. */
async function useKeys(kms: KMSClient): Promise<Uint8Array> {
  const material = realRandom.bytes(32)
  const { makeExternal, parameters, send } = importing(kms)
  const imported = await makeExternal()
  await send(imported, material, await parameters(imported))
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const signing = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const { KeyMetadata: signer } = await kms.send(signing)
  for (const KeyId of [imported, KeyMetadata?.KeyId]) {
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }),
    )
    await kms.send(new DecryptCommand({ CiphertextBlob }))
  }
  const signed = { KeyId: signer?.KeyId, Message: Buffer.from('x') } as const
  await kms.send(new SignCommand({ ...signed, SigningAlgorithm: 'ECDSA_SHA_256' }))
  return material
}

test('a heap snapshot and a report of a server with keys in use hold no secret', async (t) => {
  const folder = temporaryFolder(t)
  const own = await certified('localhost')
  const tls = writtenTls(t, own)
  const proven = await certified('client')
  const { paths: client } = writtenTls(t, proven)
  const root = textSecret('root')
  const settings = {
    TRENT_ROOT_ACCESS_KEY_ID: 'MEMORYROOT',
    TRENT_ROOT_SECRET_ACCESS_KEY: root,
    TRENT_METRICS_TOKEN: textSecret('metrics'),
    TRENT_EVENTS_WEBHOOK: 'http://127.0.0.1:9/',
    TRENT_EVENTS_WEBHOOK_SECRET: textSecret('webhook'),
    TRENT_XKS_CLIENT_CERT: client.cert,
    TRENT_XKS_CLIENT_KEY: client.key,
  }
  const flags =
    '--heapsnapshot-signal=SIGUSR2 --report-on-signal --report-signal=SIGPROF --report-exclude-env'
  const environment = { ...freePort(folder), ...settings, ...tls.settings, NODE_OPTIONS: flags }
  const running = trent(t, ['serve'], environment, folder)
  const { url } = await ready(running)
  const { NodeHttpHandler } = await import('@smithy/node-http-handler')
  const { Agent } = await import('node:https')
  const kms = new KMSClient({
    region: 'us-west-2',
    endpoint: url.replace('127.0.0.1', 'localhost'),
    credentials: { accessKeyId: 'MEMORYROOT', secretAccessKey: root },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: own.authority }) }),
  })
  t.after(() => kms.destroy())
  const material = await useKeys(kms)
  running.child.kill('SIGUSR2')
  const snapshot = await newFile(folder, /\.heapsnapshot$/)
  running.child.kill('SIGPROF')
  const report = await newFile(folder, /^report.*\.json$/)
  await end(running, 'SIGTERM')
  const keyFile = join(folder, 'data', 'seal.key')
  const keysOf = ({ key }: typeof own): readonly Buffer[] => {
    const [longest = ''] = key.split('\n').toSorted((one, other) => other.length - one.length)
    const { d = '' } = createPrivateKey(key).export({ format: 'jwk' })
    return [Buffer.from(d, 'base64url'), Buffer.from(longest)]
  }
  const secrets = new Map([
    ...(await rootKeys(folder, fileSeal(keyFile, realRandom))),
    ['key file', readFileSync(keyFile)],
    ['imported material', material],
    ...Object.entries(settings)
      .filter(([name]) => /SECRET|TOKEN/.test(name))
      .map(([name, text]) => [name, Buffer.from(text)] as const),
    ...keysOf(own).map((form, at) => [`key of the certificate, form ${at}`, form] as const),
    ...keysOf(proven).map((form, at) => [`key for XKS proxies, form ${at}`, form] as const),
  ])
  assert.ok(snapshot.includes('KeyObject') && report.includes('javascriptHeap'))
  assert.deepEqual(foundIn(report, secrets), [])
  assert.deepEqual(foundIn(snapshot, secrets), [])
})

async function served(t: TestContext, folder: string): Promise<Running> {
  const running = trent(t, ['serve'], { ...freePort(folder), TRENT_SEAL: 'shamir' }, folder)
  for (let tries = 0; tries < 300; tries += 1) {
    const isUp = await callOperator(join(folder, 'data'), 'GetStatus').then(
      () => true,
      () => false,
    )
    if (isUp) return running
    await delay(50)
  }
  throw new Error(running.stderr())
}

test(
  'a core image of a sealed server holds no key, and sealing ends the process that did',
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  async (t) => {
    const folder = temporaryFolder(t)
    const ask = async (operation: string, input?: object) =>
      (await callOperator(join(folder, 'data'), operation, input)) as {
        readonly shares?: readonly string[]
      }
    const first = await served(t, folder)
    const { shares = [] } = await ask('Initialize', { shares: 3, threshold: 2 })
    for (const secret of shares) await ask('Unseal', { secret })
    const { url } = await ready(first)
    const [, id = '', secret = ''] =
      /aws_access_key_id ?= ?(\S+)\s+aws_secret_access_key ?= ?(\S+)/.exec(
        readFileSync(join(folder, 'data', 'credentials'), 'utf8'),
      ) ?? []
    const kms = new KMSClient({
      region: 'us-west-2',
      endpoint: url,
      credentials: { accessKeyId: id, secretAccessKey: secret },
    })
    t.after(() => kms.destroy())
    const material = await useKeys(kms)
    const open = first.child.pid ?? assert.fail()
    const inUse = [...memoryOf(open)]
    await ask('SealServer')
    assert.deepEqual(await first.ended, { code: 0, signal: null })
    assert.throws(() => process.kill(open, 0), { code: 'ESRCH' })

    const keys = await rootKeys(folder, shamirSeal(realRandom), shares.slice(0, 2))
    const share = (text = ''): Uint8Array => Buffer.from(text.split(':')[5] ?? '', 'hex')
    const secrets = new Map([
      ...keys,
      ['imported material', material],
      ['secret access key', Buffer.from(secret)],
      ...shares.map((each, index) => [`share ${index + 1}`, share(each)] as const),
    ])
    // The search finds what is there.
    const found = new Set(inUse.flatMap((part) => foundIn(part, secrets)))
    assert.ok(found.has('domain key 1') && found.has('imported material'), [...found].join())

    const second = await served(t, folder)
    const pid = second.child.pid ?? assert.fail()
    const known = new Map([['its folder', Buffer.from(folder)]])
    assert.deepEqual(foundInMemory(pid, known), ['its folder'])
    assert.deepEqual(foundInMemory(pid, secrets), [])
    // One share is not enough. It is in the memory until the others come, and nothing else is.
    await ask('Unseal', { secret: shares[0] })
    assert.deepEqual(
      foundInMemory(pid, secrets).filter((name) => name !== 'share 1'),
      [],
    )
    await ask('Unseal', { secret: shares[2] })
    await ready(second)
  },
)
