/** XKS proxies that Trent serves, through the wire: each operation, each error, and what is recorded. @module */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  DecryptCommand,
  GetKeyLastUsageCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { recordsOf, recordTexts } from './records.ts'
import { makeKey } from './sdk.ts'
import { advance } from './test-clock.ts'
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

const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64')

test('an exported key is described, encrypts and decrypts, and the health of the proxy is told', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const exported = { keyId, usages: ['ENCRYPT', 'DECRYPT'] }
  const proxy = await world.createProxy('first', { keys: [exported] })
  const call = (rest: string, body: unknown, options?: CallOptions): Promise<ProxyAnswer> =>
    callProxy(world, proxy, rest, body, options)

  const { kmsRequestId } = useMetadata
  const health = { requestMetadata: { kmsRequestId, kmsOperation: 'KmsHealthCheck' } }
  const healthy = await call('health', health)
  assert.equal(healthy.status, 200)
  assert.deepEqual(Object.keys(healthy.body).toSorted(), [
    'ekmFleetDetails',
    'ekmVendor',
    'xksProxyFleetSize',
    'xksProxyModel',
    'xksProxyVendor',
  ])
  assert.equal(healthy.body['xksProxyFleetSize'], 1)

  const { awsPrincipalArn } = useMetadata
  const requestMetadata = { awsPrincipalArn, kmsOperation: 'CreateKey', kmsRequestId }
  assert.deepEqual(await call(`keys/${keyId}/metadata`, { requestMetadata }), {
    status: 200,
    body: { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ENABLED' },
  })

  const { status, body } = await call(`keys/${keyId}/encrypt`, encryptBody)
  assert.equal(status, 200)
  const [ciphertext, iv, tag, metadata] = [
    'ciphertext',
    'initializationVector',
    'authenticationTag',
    'ciphertextMetadata',
  ].map((name) => bytesOf(body[name])) as [Buffer, Buffer, Buffer, Buffer]
  assert.deepEqual(
    [ciphertext.length, iv.length, tag.length, metadata.length],
    [bytesOf(encryptBody.plaintext).length, 12, 16, 20],
  )
  const whole = Buffer.concat([
    bytesOf(encryptBody.additionalAuthenticatedData),
    metadata,
    iv,
    ciphertext,
    tag,
  ])
  assert.equal(
    body['ciphertextDataIntegrityValue'],
    createHash('sha256').update(whole).digest('base64'),
  )
  assert.deepEqual(await call(`keys/${keyId}/decrypt`, decryptBody(body)), {
    status: 200,
    body: { plaintext: encryptBody.plaintext },
  })

  const { ciphertextDataIntegrityValueAlgorithm: _, ...unasked } = encryptBody
  const without = await call(`keys/${keyId}/encrypt`, unasked)
  assert.equal('ciphertextDataIntegrityValue' in without.body, false)

  const { KeyLastUsage } = await world.kms.send(new GetKeyLastUsageCommand({ KeyId: keyId }))
  assert.equal(KeyLastUsage?.Operation, 'Encrypt')

  const records = (await recordsOf(world.server.directory)).filter(
    (record) => record['eventSource'] === 'kms-xks-proxy.amazonaws.com',
  )
  assert.deepEqual(
    records.map((record) => record['eventName']),
    ['GetHealthStatus', 'GetKeyMetadata', 'Encrypt', 'Decrypt', 'Encrypt'],
  )
  const [, , record] = records
  assert.deepEqual(record?.['userIdentity'], {
    type: 'XksClient',
    principalId: proxy.proxyId,
    arn: `arn:aws:trent:${region}:${accountId}:xks-proxy/${proxy.proxyId}`,
    accountId,
    accessKeyId: proxy.configuration.XksProxyAuthenticationCredential.AccessKeyId,
  })
  assert.deepEqual(record?.['requestParameters'], {
    externalKeyId: keyId,
    requestMetadata: { ...useMetadata },
  })
  assert.deepEqual(record?.['resources'], [
    { accountId, type: 'AWS::KMS::Key', ARN: `arn:aws:kms:${region}:${accountId}:key/${keyId}` },
  ])
  const everything = `${(await recordTexts(world.server.directory)).join('')}${world.server.logged.join('')}`
  for (const secret of [
    encryptBody.plaintext,
    encryptBody.additionalAuthenticatedData,
    String(body['ciphertext']),
    proxy.configuration.XksProxyAuthenticationCredential.RawSecretAccessKey,
  ]) {
    assert.equal(everything.includes(secret), false, secret)
  }
})

test('ciphertexts of the proxy and of Encrypt never open each other, and outlive rotations', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const proxy = await world.createProxy('first', { keys })
  const encrypt = (): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/encrypt`, encryptBody)
  const decrypt = (body: unknown): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/decrypt`, body)
  const [one, two] = [await encrypt(), await encrypt()]
  for (const name of ['ciphertext', 'initializationVector', 'ciphertextMetadata']) {
    assert.notEqual(one.body[name], two.body[name], name)
  }
  const Plaintext = bytesOf(encryptBody.plaintext)
  const { CiphertextBlob } = await world.kms.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  // The layout of docs/ciphertext-blob.md, from its end: ciphertext and tag.
  const blob = Buffer.from(CiphertextBlob ?? [])
  const ours = {
    ciphertext: blob.subarray(-12 - 16, -16).toString('base64'),
    authenticationTag: blob.subarray(-16).toString('base64'),
  }
  assert.deepEqual(failed(await decrypt(decryptBody(one.body, ours))), [
    400,
    'InvalidCiphertextException',
  ])
  await assert.rejects(
    world.kms.send(
      new DecryptCommand({ KeyId: keyId, CiphertextBlob: bytesOf(one.body['ciphertext']) }),
    ),
    { name: 'InvalidCiphertextException' },
  )
  await world.kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  const shortId = (answer: ProxyAnswer): Buffer =>
    bytesOf(answer.body['ciphertextMetadata']).subarray(1, 8)
  assert.deepEqual(shortId(one), shortId(two))
  let since = await encrypt()
  for (let tries = 0; shortId(since).equals(shortId(one)); tries += 1) {
    assert.ok(tries < 100, 'the rotation does not end')
    await advance(world.server.url, '1s')
    since = await encrypt()
  }
  for (const each of [one, two, since]) {
    assert.deepEqual(await decrypt(decryptBody(each.body)), {
      status: 200,
      body: { plaintext: encryptBody.plaintext },
    })
  }
})

test('each change of a ciphertext, of its parts or of the additional data is refused alike', async (t) => {
  const world = await startServedProxy(t)
  const { keyId } = await makeKey(world.kms)
  const { keyId: other } = await makeKey(world.kms)
  const usages = ['ENCRYPT', 'DECRYPT']
  const keys = [keyId, other].map((each) => ({ keyId: each, usages }))
  const proxy = await world.createProxy('first', { keys })
  const { body } = await callProxy(world, proxy, `keys/${keyId}/encrypt`, encryptBody)
  const decrypt = (more: object, key = keyId): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${key}/decrypt`, decryptBody(body, more))
  assert.equal((await decrypt({})).status, 200)
  for (const name of [
    'ciphertext',
    'initializationVector',
    'authenticationTag',
    'ciphertextMetadata',
    'additionalAuthenticatedData',
  ]) {
    const bytes = bytesOf({ ...encryptBody, ...body }[name])
    for (const at of new Set([0, 1, 7, 8, bytes.length - 1])) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      const answer = await decrypt({ [name]: changed.toString('base64') })
      assert.deepEqual(failed(answer), [400, 'InvalidCiphertextException'], `${name} ${at}`)
    }
  }
  const invalid = [400, 'InvalidCiphertextException']
  assert.deepEqual(failed(await decrypt({ ciphertextMetadata: undefined })), invalid)
  assert.deepEqual(failed(await decrypt({ additionalAuthenticatedData: undefined })), invalid)
  const sixteen = Buffer.alloc(16).toString('base64')
  assert.deepEqual(failed(await decrypt({ initializationVector: sixteen })), invalid)
  assert.deepEqual(failed(await decrypt({}, other)), invalid)
  // The lengths in the authenticated data keep metadata and additional data apart.
  const aad = bytesOf(encryptBody.additionalAuthenticatedData)
  const metadata = bytesOf(body['ciphertextMetadata'])
  const moved = {
    additionalAuthenticatedData: Buffer.concat([aad, metadata]).toString('base64'),
    ciphertextMetadata: '',
  }
  assert.deepEqual(failed(await decrypt(moved)), invalid)
})

test('the state of the key decides, and keys that are not exported do not exist', async (t) => {
  const world = await startServedProxy(t)
  const { kms } = world
  const { keyId } = await makeKey(kms)
  const { keyId: hidden } = await makeKey(kms)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const proxy = await world.createProxy('first', { keys })
  const encrypt = (key = keyId): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${key}/encrypt`, encryptBody)
  const status = async (): Promise<unknown> => {
    const answer = await callProxy(world, proxy, `keys/${keyId}/metadata`, {
      requestMetadata: useMetadata,
    })
    return answer.body['keyStatus']
  }
  const { body } = await encrypt()
  await kms.send(new DisableKeyCommand({ KeyId: keyId }))
  assert.equal(await status(), 'DISABLED')
  assert.deepEqual(failed(await encrypt()), [400, 'InvalidStateException'])
  const decrypted = await callProxy(world, proxy, `keys/${keyId}/decrypt`, decryptBody(body))
  assert.deepEqual(failed(decrypted), [400, 'InvalidStateException'])
  await kms.send(new EnableKeyCommand({ KeyId: keyId }))
  assert.equal(await status(), 'ENABLED')
  assert.equal((await encrypt()).status, 200)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }))
  assert.equal(await status(), 'DISABLED')
  assert.deepEqual(failed(await encrypt()), [400, 'InvalidStateException'])
  const missing = [404, 'KeyNotFoundException']
  const [unexported, unknown] = [await encrypt(hidden), await encrypt('no.such_key')]
  assert.deepEqual([failed(unexported), failed(unknown)], [missing, missing])
  const unmade = await encrypt('00000000-0000-4000-8000-000000000000')
  assert.deepEqual(failed(unmade), missing)
  // A client does not learn which keys there are besides its own.
  assert.deepEqual([unknown.body, unmade.body], [unexported.body, unexported.body])
})

test('a proxy has a request quota of its own', async (t) => {
  const settings = { TRENT_QUOTA_OVERRIDES: 'kms-xks-proxy=0.001' }
  const world = await startServedProxy(t, { settings })
  const { keyId } = await makeKey(world.kms)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const [one, other] = [
    await world.createProxy('a', { keys }),
    await world.createProxy('b', { keys }),
  ]
  const encrypt = (proxy: typeof one): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/encrypt`, encryptBody)
  assert.equal((await encrypt(one)).status, 200)
  assert.deepEqual(failed(await encrypt(one)), [429, 'ThrottlingException'])
  assert.equal((await encrypt(other)).status, 200)
})
