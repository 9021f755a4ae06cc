/** What an XKS proxy that Trent serves refuses: sizes, shapes, signatures and paths. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeKey } from './sdk.ts'
import {
  callProxy,
  decryptBody,
  encryptBody,
  failed,
  startServedProxy,
  useMetadata,
  type CallOptions,
  type ProxyAnswer,
} from './served-proxy.ts'

test('sizes up to those of the specification are taken, and larger ones are not supported', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const proxy = await world.createProxy('first', { keys: [{ keyId, usages: ['ENCRYPT'] }] })
  const encrypt = (plaintextBytes: number, aadBytes: number): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/encrypt`, {
      ...encryptBody,
      plaintext: Buffer.alloc(plaintextBytes, 7).toString('base64'),
      additionalAuthenticatedData: Buffer.alloc(aadBytes, 8).toString('base64'),
      requestMetadata: { ...useMetadata, kmsKeyArn: 'a'.repeat(2048), kmsRequestId: '✓ any' },
    })
  assert.equal((await encrypt(4300, 8192)).status, 200)
  assert.equal((await encrypt(1, 0)).status, 200)
  const unsupported = [501, 'UnsupportedOperationException']
  assert.deepEqual(failed(await encrypt(4301, 8192)), unsupported)
  assert.deepEqual(failed(await encrypt(4300, 8193)), unsupported)
  assert.deepEqual(failed(await encrypt(40_000, 0)), unsupported)
  assert.deepEqual(failed(await encrypt(0, 0)), [400, 'ValidationException'])
})

test('requests that are not as the specification says are refused before anything is looked up', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const proxy = await world.createProxy('first', { keys })
  const encrypt = (body: unknown, options?: CallOptions): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/encrypt`, body, options)
  const invalid = [400, 'ValidationException']
  const { awsPrincipalArn: _, ...anonymous } = useMetadata
  const bodies: readonly unknown[] = [
    '',
    '[]',
    'null',
    '{',
    '{"a":1,"a":2}',
    `{"a":${'['.repeat(20)}${']'.repeat(20)}}`,
    {},
    { ...encryptBody, requestMetadata: undefined },
    { ...encryptBody, requestMetadata: [] },
    { ...encryptBody, requestMetadata: anonymous },
    { ...encryptBody, requestMetadata: { ...useMetadata, kmsKeyArn: 'a'.repeat(2049) } },
    { ...encryptBody, requestMetadata: { ...useMetadata, kmsRequestId: 7 } },
    { ...encryptBody, plaintext: undefined },
    { ...encryptBody, plaintext: 7 },
    { ...encryptBody, plaintext: 'SGVsbG8gV29ybGQh=' },
    { ...encryptBody, plaintext: 'SGVs bG8gV29ybGQh' },
    { ...encryptBody, encryptionAlgorithm: 'AES_CBC' },
    { ...encryptBody, encryptionAlgorithm: undefined },
    { ...encryptBody, ciphertextDataIntegrityValueAlgorithm: 'MD5' },
  ]
  for (const body of bodies) {
    assert.deepEqual(failed(await encrypt(body)), invalid, JSON.stringify(body))
  }
  const headers = { 'content-type': 'text/plain' }
  assert.deepEqual(failed(await encrypt(encryptBody, { headers })), invalid)
  const charset = { 'content-type': 'application/json; charset=utf-8' }
  assert.equal((await encrypt(encryptBody, { headers: charset })).status, 200)
  // Later versions may add members.
  assert.equal((await encrypt({ ...encryptBody, later: { a: 1 }, externalKeyId: 'x' })).status, 200)
  const { body } = await encrypt(encryptBody)
  for (const more of [
    { ciphertext: '' },
    { initializationVector: Buffer.alloc(13).toString('base64') },
    { initializationVector: Buffer.alloc(11).toString('base64') },
    { authenticationTag: Buffer.alloc(15).toString('base64') },
    { ciphertextMetadata: Buffer.alloc(21).toString('base64') },
    { authenticationTag: undefined },
  ]) {
    const rest = `keys/${keyId}/decrypt`
    const answer = await callProxy(world, proxy, rest, decryptBody(body, more))
    assert.deepEqual(failed(answer), invalid, JSON.stringify(more))
  }
})

test('only a fresh signature of a live credential of the path is believed', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const [proxy, second] = [
    await world.createProxy('first', { keys }),
    await world.createProxy('second', { keys }),
  ]
  const call = (options: CallOptions): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/encrypt`, encryptBody, options)
  const others = second.configuration.XksProxyAuthenticationCredential
  const now = Date.now()
  const unauthenticated = [401, 'AuthenticationFailedException']
  const wrong: Readonly<Record<string, CallOptions>> = {
    'no signature': { unsigned: true },
    'another secret': { secret: others.RawSecretAccessKey },
    'a credential of another proxy': {
      accessKeyId: others.AccessKeyId,
      secret: others.RawSecretAccessKey,
    },
    'an unknown credential': { accessKeyId: 'ABCDEFGHIJKLMNOPQRST' },
    'a service that is not the proxy API': { service: 'kms' },
    'a body that was not signed': { sent: JSON.stringify({ ...encryptBody, plaintext: 'AAAA' }) },
    'signed six minutes ago': { signedAt: now - 360_000 },
    'signed six minutes ahead': { signedAt: now + 360_000 },
  }
  for (const [name, options] of Object.entries(wrong)) {
    assert.deepEqual(failed(await call(options)), unauthenticated, name)
  }
  assert.equal((await call({ signedAt: now - 240_000 })).status, 200)
  assert.equal((await call({ signedAt: now + 240_000 })).status, 200)
  // AWS's Regions are many, and the server need not know them.
  assert.equal((await call({ signedRegion: 'xx-new-1' })).status, 200)
})

test('a path of no proxy is an invalid path, even if it is well signed', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const proxy = await world.createProxy('first', { keys })
  const { XksProxyUriPath: path } = proxy.configuration
  const call = (options: CallOptions): Promise<ProxyAnswer> =>
    callProxy(world, proxy, '', encryptBody, options)
  const paths = [
    `/xks-${'0'.repeat(17)}/kms/xks/v1/keys/${keyId}/encrypt`,
    `/kms/xks/v1/keys/${keyId}/encrypt`,
    `${path}/keys/${keyId}/rewrap`,
    `${path}/keys/${keyId}/encrypt/`,
    `${path}/keys/${keyId}/encrypt?a=b`,
    `${path}//keys/${keyId}/encrypt`,
    `${path}/keys//encrypt`,
    `${path}/keys/${'a'.repeat(129)}/encrypt`,
    `${path}/keys/a%2fb/encrypt`,
    `${path}/../kms/xks/v1/keys/${keyId}/encrypt`,
    `${path.toUpperCase()}/keys/${keyId}/encrypt`,
    '/',
  ]
  for (const each of paths) {
    assert.deepEqual(failed(await call({ path: each })), [404, 'InvalidUriPathException'], each)
  }
  assert.equal((await call({ path: `${path}/keys/${keyId}/encrypt` })).status, 200)
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const answer = await callProxy(world, proxy, 'health', '', { method })
    assert.equal(answer.status, 405, method)
  }
  const probe = { path: '/healthz', method: 'GET', unsigned: true } as const
  const healthy = await callProxy(world, proxy, '', '', probe)
  assert.equal(healthy.status, 200)
})
