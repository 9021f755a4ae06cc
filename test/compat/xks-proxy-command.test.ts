/** XKS proxies as operators run them: by the commands, with limits, and as credentials change. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { CreateKeyCommand, type CreateKeyCommandInput } from '@aws-sdk/client-kms'
import type { ListedXksProxies } from '../../src/operations/trent/list-xks-proxies.ts'
import type { ProxyConfiguration } from '../../src/operations/trent/served-proxies.ts'
import { accountId, region } from '../harness.ts'
import { recordsOf, recordTexts } from './records.ts'
import { makeKey } from './sdk.ts'
import {
  callProxy,
  decryptBody,
  encryptBody,
  startServedProxy,
  useMetadata,
  type ProxyAnswer,
  type ServedProxyWorld,
} from './served-proxy.ts'

function commandsOf({
  server,
  operatorDirectory,
}: ServedProxyWorld): (...args: readonly string[]) => Promise<string> {
  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = {
    ...process.env,
    TRENT_DATA_DIR: server.directory,
    TRENT_OPERATOR_DIR: operatorDirectory,
    TRENT_ACCOUNT_ID: accountId,
    TRENT_REGION: region,
  }
  return async (...args) =>
    (await promisify(execFile)(process.execPath, [program, 'xks-proxy', ...args], { env })).stdout
}

const errorOf = ({ status, body }: ProxyAnswer): unknown[] => [status, body['errorName']]

test('create prints the file that the console of AWS imports, and list shows all but the secret', async (t) => {
  const world = await startServedProxy(t)
  const trent = commandsOf(world)
  const [{ keyId }, { keyId: second }] = [await makeKey(world.kms), await makeKey(world.kms)]
  const printed = await trent('create', 'aws', '--key', keyId, `${second}=none`)
  const configuration = JSON.parse(printed) as ProxyConfiguration
  assert.deepEqual(Object.keys(configuration), [
    'XksProxyUriPath',
    'XksProxyAuthenticationCredential',
  ])
  const { AccessKeyId, RawSecretAccessKey } = configuration.XksProxyAuthenticationCredential
  // The patterns of the model of KMS.
  assert.match(configuration.XksProxyUriPath, /^(\/[a-zA-Z0-9/_-]+\/kms\/xks\/v\d{1,2})$/)
  assert.match(AccessKeyId, /^[A-Z2-7]{20,30}$/)
  assert.match(RawSecretAccessKey, /^[A-Za-z0-9+/=]{43,64}$/)
  const proxy = { configuration }
  const encrypt = (key: string): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${key}/encrypt`, encryptBody)
  const usageOf = async (key: string): Promise<unknown> => {
    const body = { requestMetadata: useMetadata }
    return (await callProxy(world, proxy, `keys/${key}/metadata`, body)).body['keyUsage']
  }
  const { status, body } = await encrypt(keyId)
  assert.equal(status, 200)
  const decrypt = (): Promise<ProxyAnswer> =>
    callProxy(world, proxy, `keys/${keyId}/decrypt`, decryptBody(body))

  const shown = JSON.parse(await trent('list', '--json')) as ListedXksProxies
  const [listed] = shown.proxies
  assert.ok(listed)
  const { proxyId } = listed
  assert.deepEqual(
    [listed.name, listed.accountId, listed.region, listed.uriPath],
    ['aws', accountId, region, configuration.XksProxyUriPath],
  )
  const exported = [
    { keyId, usages: ['ENCRYPT', 'DECRYPT'] },
    { keyId: second, usages: [] },
  ]
  const byId = (one: { keyId: string }, other: { keyId: string }): number =>
    one.keyId < other.keyId ? -1 : 1
  assert.deepEqual(listed.keys, exported.toSorted(byId))
  const text = await trent('list')
  assert.match(text, new RegExp(`^ {2}credential ${AccessKeyId} {2}\\S+Z$`, 'm'))
  assert.match(text, new RegExp(`^ {2}key ${second} {2}none$`, 'm'))
  assert(!text.includes(RawSecretAccessKey))

  const invalid = [400, 'InvalidKeyUsageException']
  assert.deepEqual(await usageOf(second), [])
  assert.deepEqual(errorOf(await encrypt(second)), invalid)
  for (const [usage, usages, encrypts, decrypts] of [
    ['encrypt', ['ENCRYPT'], 200, 400],
    ['decrypt', ['DECRYPT'], 400, 200],
    ['none', [], 400, 400],
    ['both', ['ENCRYPT', 'DECRYPT'], 200, 200],
  ] as const) {
    await trent('export', proxyId, keyId, '--usage', usage)
    assert.deepEqual(await usageOf(keyId), usages)
    for (const [answer, expected] of [
      [await encrypt(keyId), encrypts],
      [await decrypt(), decrypts],
    ] as const) {
      assert.equal(answer.status, expected)
      if (expected === 400) assert.deepEqual(errorOf(answer), invalid)
    }
  }
  await trent('revoke', proxyId, '--key', keyId)
  assert.deepEqual(errorOf(await encrypt(keyId)), [404, 'KeyNotFoundException'])
  await trent('export', proxyId, keyId)
  assert.equal((await decrypt()).status, 200)
  await trent('revoke', proxyId)
  assert.deepEqual(errorOf(await encrypt(keyId)), [404, 'InvalidUriPathException'])
  assert.equal(await trent('list'), '')

  const changes = (await recordsOf(world.server.directory)).filter(({ eventName }) =>
    /^(Create|Export|Revoke|Rotate)Xks/.test(eventName),
  )
  assert.deepEqual(
    changes.map(({ eventName }) => eventName),
    [
      'CreateXksProxy',
      ...Array.from({ length: 4 }, () => 'ExportXksKey'),
      'RevokeXksProxy',
      'ExportXksKey',
      'RevokeXksProxy',
    ],
  )
  assert.equal(
    (await recordTexts(world.server.directory)).join('').includes(RawSecretAccessKey),
    false,
  )
})

test('two credentials are live while one replaces the other, and a revoked one is refused', async (t) => {
  const world = await startServedProxy(t)
  const trent = commandsOf(world)
  const { keyId } = await makeKey(world.kms)
  const first = JSON.parse(await trent('create', 'aws', '--key', keyId)) as ProxyConfiguration
  const [, proxyId = ''] = first.XksProxyUriPath.split('/')
  const second = JSON.parse(await trent('rotate-credential', proxyId)) as ProxyConfiguration
  assert.equal(second.XksProxyUriPath, first.XksProxyUriPath)
  const statusOf = async (configuration: ProxyConfiguration): Promise<unknown> =>
    (await callProxy(world, { configuration }, `keys/${keyId}/encrypt`, encryptBody)).status
  assert.deepEqual([await statusOf(first), await statusOf(second)], [200, 200])
  const old = first.XksProxyAuthenticationCredential.AccessKeyId
  await trent('revoke', proxyId, '--credential', old)
  assert.deepEqual([await statusOf(first), await statusOf(second)], [401, 200])
  await assert.rejects(trent('revoke', proxyId, '--credential', old), /has no credential/)
  for (let made = 1; made < 5; made += 1) await trent('rotate-credential', proxyId)
  await assert.rejects(trent('rotate-credential', proxyId), /revoke one of them first/)
})

test('limits of the proxy and of a credential narrow what its clients may do', async (t) => {
  const world = await startServedProxy(t)
  const trent = commandsOf(world)
  const [{ keyId }, { keyId: other }] = [await makeKey(world.kms), await makeKey(world.kms)]
  const file = join(world.server.directory, 'limits.yaml')
  const limited = async (text: string): Promise<string> => {
    await writeFile(file, text)
    return file
  }
  const rule =
    'awsPrincipalArn: ["arn:aws:iam::123456789012:user/*"]\nkmsOperation: [Encrypt, Decrypt]\n'
  const made = await trent('create', 'a', '--key', keyId, other, '--limits', await limited(rule))
  const configuration = JSON.parse(made) as ProxyConfiguration
  const [, proxyId = ''] = configuration.XksProxyUriPath.split('/')
  const narrow = `operations: [Decrypt]\nkeyIds: [${keyId}]\nkmsKeyArn: ['*:key/1234abcd-*']\n`
  const again = await trent('rotate-credential', proxyId, '--limits', await limited(narrow))
  const second = JSON.parse(again) as ProxyConfiguration
  const call = (
    credential: ProxyConfiguration,
    operation: 'encrypt' | 'decrypt' | 'metadata',
    metadata: object = {},
    key = keyId,
  ): Promise<ProxyAnswer> => {
    const requestMetadata = { ...useMetadata, ...metadata }
    const body = operation === 'decrypt' ? decryptBody(encrypted.body) : encryptBody
    const proxy = { configuration: credential }
    return callProxy(world, proxy, `keys/${key}/${operation}`, { ...body, requestMetadata })
  }
  const encrypted = await callProxy(world, { configuration }, `keys/${keyId}/encrypt`, encryptBody)
  assert.equal(encrypted.status, 200)
  const denied = [403, 'AccessDeniedException']
  const role = { awsPrincipalArn: 'arn:aws:iam::123456789012:role/x' }
  assert.deepEqual(errorOf(await call(configuration, 'encrypt', role)), denied)
  const dataKey = { kmsOperation: 'GenerateDataKey' }
  assert.deepEqual(errorOf(await call(configuration, 'encrypt', dataKey)), denied)
  const created = { kmsOperation: 'CreateKey', kmsKeyArn: undefined }
  assert.deepEqual(errorOf(await call(configuration, 'metadata', created)), denied)

  assert.equal((await call(second, 'decrypt')).status, 200)
  assert.deepEqual(errorOf(await call(second, 'encrypt')), denied)
  assert.deepEqual(errorOf(await call(second, 'decrypt', {}, other)), denied)
  assert.deepEqual(errorOf(await call(second, 'decrypt', role)), denied)
  const elsewhere = { kmsKeyArn: 'arn:aws:kms:us-east-2:123456789012:key/99999999' }
  assert.deepEqual(errorOf(await call(second, 'decrypt', elsewhere)), denied)
  // Health is left out of authorization.
  const healthBody = { requestMetadata: { kmsRequestId: 'a', kmsOperation: 'KmsHealthCheck' } }
  const health = await callProxy(world, { configuration: second }, 'health', healthBody)
  assert.equal(health.status, 200)

  await assert.rejects(
    trent('rotate-credential', proxyId, '--limits', await limited('operation: [Encrypt]\n')),
    /limits\.yaml:1:\d+: there is no such limit/,
  )
  await assert.rejects(
    trent('rotate-credential', proxyId, '--limits', await limited('operations: [Sign]\n')),
    /^trent: .*'Sign' at 'limits\.operations/m,
  )
  await assert.rejects(
    trent('rotate-credential', proxyId, '--limits', await limited('operations: []\n')),
    /^trent: .*'limits\.operations/m,
  )
})

test('only symmetric encryption keys whose material is here can be exported', async (t) => {
  const world = await startServedProxy(t)
  const trent = commandsOf(world)
  const { proxyId } = await world.createProxy('a')
  const make = async (input: CreateKeyCommandInput): Promise<string> =>
    (await world.kms.send(new CreateKeyCommand(input))).KeyMetadata?.KeyId ?? ''
  for (const input of [
    { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  ] as const) {
    await assert.rejects(trent('export', proxyId, await make(input)), /cannot be exported/)
  }
  const imported = await make({ Origin: 'EXTERNAL' })
  await trent('export', proxyId, imported)
  const unknown = '00000000-0000-4000-8000-000000000000'
  await assert.rejects(trent('export', proxyId, unknown), /There is no key/)
  await assert.rejects(trent('export', 'xks-00000000000000000', imported), /There is no XKS proxy/)
  await assert.rejects(trent('export', proxyId, imported, '--usage', 'sign'), /a usage is both/)
  await assert.rejects(world.createProxy('a'), /AlreadyExistsException/)
  await assert.rejects(world.createProxy('b', { region: 'moon-1' }), /no Region `moon-1`/)
  await assert.rejects(world.createProxy('b', { accountId: '999999999999' }), /There is no account/)
  for (let made = 1; made < 10; made += 1) await world.createProxy(`p${made}`)
  await assert.rejects(world.createProxy('eleventh'), /at most 10 XKS proxies/)
})
