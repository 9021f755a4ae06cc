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
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateRandomCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
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
import { storedKeys } from './stored-keys.ts'
import { threadHeaps } from './thread-heaps.ts'

/** Uses keys of several kinds, and returns what was imported, and what was generated for the caller. */
async function useKeys(kms: KMSClient): Promise<Secrets> {
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
  const input = { KeyId: KeyMetadata?.KeyId }
  const dataKey = await kms.send(new GenerateDataKeyCommand({ ...input, KeySpec: 'AES_256' }))
  const pairSpec = { ...input, KeyPairSpec: 'ECC_NIST_P256' } as const
  const pair = await kms.send(new GenerateDataKeyPairCommand(pairSpec))
  const random = await kms.send(new GenerateRandomCommand({ NumberOfBytes: 32 }))
  const asKey = {
    key: Buffer.from(pair.PrivateKeyPlaintext ?? []),
    format: 'der',
    type: 'pkcs8',
  } as const
  const { d = '' } = createPrivateKey(asKey).export({ format: 'jwk' })
  const made = {
    'imported material': material,
    'data key': dataKey.Plaintext ?? assert.fail(),
    'private data key': Buffer.from(d, 'base64url'),
    'random bytes': random.Plaintext ?? assert.fail(),
  }
  return new Map(Object.entries(made))
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
  const made = await useKeys(kms)
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
    ...(await storedKeys(folder, fileSeal(keyFile, realRandom))),
    ['key file', readFileSync(keyFile)],
    ...made,
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

const bounded = { timeout: 180_000 }
const threads = ['main', 'trent worker 1', 'trent worker 2', 'trent grant reader', 'trent store']

test(
  'no thread has generated keys, or a root key of before or after a rotation, on its heap',
  bounded,
  async (t) => {
    const folder = temporaryFolder(t)
    const heaps = threadHeaps(t)
    const ask = (operation: string, input?: object) =>
      callOperator(join(folder, 'data'), operation, input)
    const seal = fileSeal(join(folder, 'data', 'seal.key'), realRandom)
    const [accessKeyId, secretAccessKey] = ['MEMORYROOT', textSecret('root')]
    const settings = {
      ...freePort(folder),
      TRENT_WORKERS: '3',
      TRENT_ROOT_ACCESS_KEY_ID: accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
    }
    const first = trent(t, ['serve'], settings, folder)
    await ready(first)
    await end(first, 'SIGTERM')
    const former = await storedKeys(folder, seal)

    const running = trent(t, ['serve'], { ...settings, ...heaps.flags }, folder)
    const { url: endpoint } = await ready(running)
    const credentials = { accessKeyId, secretAccessKey }
    const use = async (): Promise<Secrets> => {
      // A client has connections of its own, and the threads share connections out.
      const kms = new KMSClient({ region: 'us-west-2', endpoint, credentials })
      try {
        return await useKeys(kms)
      } finally {
        kms.destroy()
      }
    }
    const usedBefore = await Promise.all([use(), use(), use()])
    await ask('BeginRekey', { rotate: true })
    const usedAfter = [await use()]
    while (!/"state":"rewrapped"/.test(JSON.stringify(await ask('GetStatus')))) await delay(50)

    await heaps.write(running, threads)
    const pid = running.child.pid ?? assert.fail()
    // The keys are in the process, and nowhere on a heap.
    const inUse = Buffer.from(former.get('domain key 1') ?? assert.fail())
    let isInUse = process.platform !== 'linux'
    for (const part of isInUse ? [] : memoryOf(pid)) {
      isInUse ||= part.includes(inUse)
      if (isInUse) break
    }
    assert.ok(isInUse)
    await end(running, 'SIGTERM')
    const secrets = new Map<string, Uint8Array>(
      [...usedBefore, ...usedAfter].flatMap((made, at) =>
        [...made].map(([name, bytes]) => [`${name} of client ${at}`, bytes] as const),
      ),
    )
    for (const [name, bytes] of former) secrets.set(`former ${name}`, bytes)
    for (const [name, bytes] of await storedKeys(folder, seal)) secrets.set(name, bytes)
    assert.ok(secrets.has('domain key 2') && secrets.size > 25)
    heaps.assertWithout(secrets)
  },
)

async function served(t: TestContext, folder: string): Promise<Running> {
  const running = trent(t, ['serve'], { ...freePort(folder), TRENT_SEAL: 'shamir' }, folder)
  for (let tries = 0; tries < 300; tries += 1) {
    const status = await callOperator(join(folder, 'data'), 'GetStatus').catch(() => undefined)
    // Before it has chosen its seal, it takes no shares.
    if ('seal' in Object(status)) return running
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
    const made = await useKeys(kms)
    const open = first.child.pid ?? assert.fail()
    const inUse = [...memoryOf(open)]
    // This process was busy for so long that the server may have closed the connection that waits for a call.
    await ask('GetStatus').catch(() => undefined)
    await ask('SealServer')
    assert.deepEqual(await first.ended, { code: 0, signal: null })
    assert.throws(() => process.kill(open, 0), { code: 'ESRCH' })

    const keys = await storedKeys(folder, shamirSeal(realRandom), shares.slice(0, 2))
    const share = (text = ''): Uint8Array => Buffer.from(text.split(':')[5] ?? '', 'hex')
    const secrets = new Map([
      ...keys,
      ...made,
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
