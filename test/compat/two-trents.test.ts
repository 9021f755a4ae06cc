/** Two Trents, one the proxy of the other: a key's whole life through both, and each failure between them. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteCustomKeyStoreCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import type { RotatedCredential } from '../../src/operations/trent/rotate-xks-proxy-credential.ts'
import { connect, disconnect, entryOf, makeExternalKey, makeStore } from './external-store.ts'
import { recordsOf } from './records.ts'
import { makeKey, refused } from './sdk.ts'
import { advance } from './test-clock.ts'
import { said } from './external-answers.ts'
import { startTwoTrents, type WireWork } from './two-trents.ts'

const Plaintext = Buffer.from('only the inner Trent sees this')
const EncryptionContext = { purpose: 'two trents' }
const both = ['ENCRYPT', 'DECRYPT'] as const

async function encrypt(kms: KMSClient, KeyId: string): Promise<Uint8Array> {
  const command = new EncryptCommand({ KeyId, Plaintext, EncryptionContext })
  return (await kms.send(command)).CiphertextBlob ?? new Uint8Array()
}

async function decrypts(kms: KMSClient, CiphertextBlob: Uint8Array): Promise<void> {
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
}

test('a key lives through both: made, used, rotated outside, disabled, narrowed and deleted', async (t) => {
  const world = await startTwoTrents(t)
  const { kms, outside, wire } = world
  const { keyId: XksKeyId } = await makeKey(outside.kms)
  const proxy = await outside.createProxy('inner', { keys: [{ keyId: XksKeyId, usages: both }] })
  const CustomKeyStoreId = await makeStore(kms, proxy.configuration)
  assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId, XksKeyId)
  const first = await encrypt(kms, KeyId)
  await decrypts(kms, first)
  const data = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  const again = await kms.send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob }))
  assert.deepEqual(again.Plaintext, data.Plaintext)
  const { keyId: builtin } = await makeKey(kms)
  const moved = await kms.send(
    new ReEncryptCommand({
      CiphertextBlob: first,
      SourceEncryptionContext: EncryptionContext,
      DestinationEncryptionContext: EncryptionContext,
      DestinationKeyId: builtin,
    }),
  )
  await decrypts(kms, moved.CiphertextBlob ?? new Uint8Array())

  // The outer key rotates, and old ciphertexts stay readable.
  await outside.kms.send(new RotateKeyOnDemandCommand({ KeyId: XksKeyId }))
  for (let rounds = 0; rounds < 3; rounds += 1) await advance(outside.server.url, '1s')
  await decrypts(kms, first)
  await decrypts(kms, await encrypt(kms, KeyId))

  const fails = (work: Promise<unknown>, row: string): Promise<void> =>
    refused(work, 'KMSInvalidStateException', said[row])
  const disabled = 'Proxy returns an InvalidStateException'
  await outside.kms.send(new DisableKeyCommand({ KeyId: XksKeyId }))
  await fails(encrypt(kms, KeyId), disabled)
  await fails(decrypts(kms, first), disabled)
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(KeyMetadata?.KeyState, 'Enabled')
  await outside.kms.send(new EnableKeyCommand({ KeyId: XksKeyId }))
  await decrypts(kms, first)
  await outside.kms.send(new ScheduleKeyDeletionCommand({ KeyId: XksKeyId }))
  await fails(decrypts(kms, first), disabled)
  await outside.kms.send(new CancelKeyDeletionCommand({ KeyId: XksKeyId }))
  await outside.kms.send(new EnableKeyCommand({ KeyId: XksKeyId }))

  const exportFor = (usages: readonly string[], keyId = XksKeyId): Promise<unknown> =>
    outside.operate('ExportXksKey', { proxyId: proxy.proxyId, keyId, usages })
  await exportFor(['DECRYPT'])
  await fails(encrypt(kms, KeyId), 'Proxy returns an InvalidKeyUsageException')
  await decrypts(kms, first)
  await exportFor([])
  await fails(decrypts(kms, first), 'Proxy returns an InvalidKeyUsageException')
  const make = (key: string): Promise<unknown> =>
    kms.send(
      new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: key }),
    )
  const { keyId: shown } = await makeKey(outside.kms)
  for (const usages of [[], ['ENCRYPT'], ['DECRYPT']]) {
    await exportFor(usages, shown)
    await assert.rejects(make(shown), {
      name: 'XksKeyInvalidConfigurationException',
      message: /must include ENCRYPT and DECRYPT/,
    })
  }
  await outside.operate('RevokeXksProxy', { proxyId: proxy.proxyId, keyId: XksKeyId })
  await fails(decrypts(kms, first), 'Proxy returns a KeyNotFoundException')
  await assert.rejects(make(XksKeyId), { name: 'XksKeyAlreadyInUseException' })
  await refused(
    make('no-such-key'),
    'XksKeyNotFoundException',
    said['Proxy returns a KeyNotFoundException'],
  )
  await exportFor(both)
  await decrypts(kms, first)

  // A wrong context is found outside, where it is only a hash.
  const wrong = kms.send(new DecryptCommand({ CiphertextBlob: first }))
  await fails(wrong, 'Proxy returns an InvalidCiphertextException')
  const secrets = [Plaintext, Buffer.from(EncryptionContext.purpose)]
  for (const { request, answer } of wire.seen) {
    const texts = `${request}${answer}`
    const decoded = [...texts.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)].map(([, text = '']) =>
      Buffer.from(text, 'base64'),
    )
    for (const secret of secrets) {
      assert(!texts.includes(secret.toString()), 'plain')
      assert(!decoded.some((bytes) => bytes.includes(secret)), 'in base64')
    }
    assert(!decoded.some((bytes) => bytes.includes(Buffer.from(data.Plaintext ?? []))), 'data key')
  }

  // Both trails have the same request ids.
  const outer = (await recordsOf(outside.server.directory)).filter(
    ({ eventSource, eventName, errorCode }) =>
      eventSource === 'kms-xks-proxy.amazonaws.com' &&
      eventName === 'Decrypt' &&
      errorCode === undefined,
  )
  const inner = new Set((await recordsOf(world.server.directory)).map((each) => each['requestID']))
  assert(outer.length > 5)
  for (const { requestParameters } of outer) {
    const { requestMetadata } = requestParameters as {
      requestMetadata: Readonly<Record<string, string>>
    }
    assert(inner.has(requestMetadata['kmsRequestId']))
  }

  await disconnect(world, CustomKeyStoreId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  const remove = new DeleteCustomKeyStoreCommand({ CustomKeyStoreId })
  await assert.rejects(kms.send(remove), { name: 'CustomKeyStoreHasCMKsException' })
  await advance(world.server.url, '8d')
  for (let tries = 0; ; tries += 1) {
    const gone = await kms
      .send(new DescribeKeyCommand({ KeyId }))
      .catch((error: Error) => error.name)
    if (gone === 'NotFoundException') break
    assert.ok(tries < 60, 'the key is not deleted')
    await advance(world.server.url, '1s')
  }
  await kms.send(remove)
  // The external key stays.
  const left = await outside.kms.send(new DescribeKeyCommand({ KeyId: XksKeyId }))
  assert.equal(left.KeyMetadata?.KeyState, 'Enabled')
})

test('the credential changes while the store is connected, and no call fails', async (t) => {
  const world = await startTwoTrents(t)
  const { kms, outside } = world
  const { keyId } = await makeKey(outside.kms)
  const proxy = await outside.createProxy('inner', { keys: [{ keyId, usages: both }] })
  const CustomKeyStoreId = await makeStore(kms, proxy.configuration)
  await connect(world, CustomKeyStoreId)
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId, keyId)
  const ended = new AbortController()
  const load = (async () => {
    let calls = 0
    for (; !ended.signal.aborted; calls += 1) await decrypts(kms, await encrypt(kms, KeyId))
    return calls
  })()
  const { proxyId } = proxy
  const rotated = (await outside.operate('RotateXksProxyCredential', {
    proxyId,
  })) as RotatedCredential
  const { XksProxyAuthenticationCredential } = rotated.configuration
  const update = (more: object): Promise<unknown> =>
    kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, ...more }))
  await update({ XksProxyAuthenticationCredential })
  const [accessKeyId] = rotated.otherAccessKeyIds
  await outside.operate('RevokeXksProxy', { proxyId, accessKeyId })
  await decrypts(kms, await encrypt(kms, KeyId))
  ended.abort()
  assert.ok((await load) > 0)
  const { XksProxyConfiguration } = await entryOf(kms, CustomKeyStoreId)
  assert.equal(XksProxyConfiguration?.AccessKeyId, XksProxyAuthenticationCredential.AccessKeyId)
  // The old one is refused now, and the store keeps the one that works.
  const old = proxy.configuration.XksProxyAuthenticationCredential
  await refused(
    update({ XksProxyAuthenticationCredential: old }),
    'XksProxyIncorrectAuthenticationCredentialException',
    said['Proxy returns an AuthenticationFailedException'],
  )
  await decrypts(kms, await encrypt(kms, KeyId))
})

test('each failure of the wire has the exception and the sentence of AWS, and ends with it', async (t) => {
  const world = await startTwoTrents(t)
  const { kms, outside, wire } = world
  const { keyId } = await makeKey(outside.kms)
  const { keyId: second } = await makeKey(outside.kms)
  const keys = [keyId, second].map((each) => ({ keyId: each, usages: both }))
  const proxy = await outside.createProxy('inner', { keys })
  const store = proxy.configuration
  const CustomKeyStoreId = await makeStore(kms, store)
  await connect(world, CustomKeyStoreId)
  const KeyId = await makeExternalKey(kms, CustomKeyStoreId, keyId)
  const ciphertext = await encrypt(kms, KeyId)
  const honest = wire.work
  const changed =
    (change: (text: string) => string): WireWork =>
    async (_path, ask) => {
      const { status, body } = await ask()
      return { status, body: change(body) }
    }
  const [malformed, away, late] = [
    'Proxy returns a malformed response',
    'AWS KMS cannot establish a TCP connection',
    'AWS KMS encounters a socket timeout',
  ] as const
  const invalid = ['XksProxyInvalidResponseException', 'XKS_PROXY_INVALID_RESPONSE'] as const
  const unreachable = 'XksProxyUriUnreachableException'
  const failures: readonly (readonly [WireWork, string, string, string])[] = [
    [async () => 'reset', away, unreachable, 'XKS_PROXY_NOT_REACHABLE'],
    [async () => 'hang', late, unreachable, 'XKS_PROXY_TIMED_OUT'],
    [changed((body) => body.slice(0, -1)), malformed, ...invalid],
    [changed((body) => `${body}x`), malformed, ...invalid],
    [changed((body) => body.replace(/"[a-zA-Z]+"/, '"other"')), malformed, ...invalid],
    [changed(() => ''), malformed, ...invalid],
  ]
  for (const [index, [work, row, code, connection]] of failures.entries()) {
    const say = (error: unknown): never => {
      throw new Error(`failure ${index}`, { cause: error })
    }
    wire.work = work
    const use = 'KMSInvalidStateException'
    await refused(encrypt(kms, KeyId), use, said[row]).catch(say)
    await refused(decrypts(kms, ciphertext), use, said[row]).catch(say)
    const made = kms.send(
      new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: second }),
    )
    await refused(made, 'CustomKeyStoreInvalidStateException', said[row]).catch(say)
    const another = new CreateCustomKeyStoreCommand({
      CustomKeyStoreName: 'another',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyUriEndpoint: 'https://xks.example.com',
      XksProxyConnectivity: 'PUBLIC_ENDPOINT',
      ...store,
      XksProxyUriPath: store.XksProxyUriPath.replace('/kms/', '/x/kms/'),
    })
    await refused(kms.send(another), code, said[row]).catch(say)
    assert.equal((await entryOf(kms, CustomKeyStoreId)).ConnectionState, 'CONNECTED')
    wire.work = honest
    await decrypts(kms, ciphertext)
    // Only the connection itself fails with a code of its own.
    await disconnect(world, CustomKeyStoreId)
    wire.work = work
    assert.equal(await connect(world, CustomKeyStoreId), connection, `failure ${index}`)
    wire.work = honest
    await disconnect(world, CustomKeyStoreId)
    assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
    await decrypts(kms, ciphertext)
  }

  // An answer that ends in the middle is no answer.
  wire.work = async (_path, ask) => {
    await ask()
    return 'cut'
  }
  await assert.rejects(encrypt(kms, KeyId), { name: 'KMSInvalidStateException' })
  wire.work = honest

  // An answer to another request: its integrity value is of other bytes, its plaintext fails the inner tag.
  const replayed = async (path: string): Promise<void> => {
    const { answer } = wire.seen.findLast((each) => each.path.endsWith(path)) ?? assert.fail(path)
    wire.work = async () => ({ status: 200, body: answer })
  }
  await encrypt(kms, KeyId)
  await replayed('/encrypt')
  await refused(encrypt(kms, KeyId), 'KMSInvalidStateException', said[malformed])
  wire.work = honest
  await decrypts(kms, ciphertext)
  await replayed('/decrypt')
  wire.work = honest
  const other = await encrypt(kms, KeyId)
  await replayed('/decrypt')
  await refused(
    decrypts(kms, other),
    'KMSInvalidStateException',
    said['Proxy returns an invalid ciphertext'],
  )
  wire.work = honest
  await decrypts(kms, other)

  // The proxy's own state: sealed or stopped is away, and comes back.
  wire.work = async () => ({ status: 502, body: 'no JSON' })
  await refused(decrypts(kms, other), 'KMSInvalidStateException', said[malformed])
  wire.work = honest
  await decrypts(kms, other)
})

test('a certificate with another name, or of an unknown authority, is no TLS connection', async (t) => {
  const tls = 'AWS KMS cannot establish a TLS connection'
  const unreachable = 'XksProxyUriUnreachableException'
  for (const wire of [{ name: 'other.example.com' }, { trusts: false }]) {
    const world = await startTwoTrents(t, wire)
    const proxy = await world.outside.createProxy('inner')
    await refused(makeStore(world.kms, proxy.configuration), unreachable, said[tls])
  }
})
