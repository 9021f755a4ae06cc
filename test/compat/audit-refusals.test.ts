/** Refused calls in the audit log: of somebody known one record each, of nobody none. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { withHeader } from '../authenticate/signer.ts'
import { otherAccountId, startWithTwoAccounts } from './accounts.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { makeKey } from './sdk.ts'
import { callByHand, send, signedCall } from './signed-http.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const kms = server.client()
const root = `arn:aws:iam::${accountId}:root`
const Plaintext = Buffer.from('x')
const { port } = server

async function recordsSince(earlier: number): Promise<readonly AuditRecord[]> {
  return (await recordsOf(server.directory)).slice(earlier)
}

interface Refusal {
  readonly run: (client: KMSClient) => Promise<unknown>
  readonly errorCode: string
  readonly errorMessage?: string
  readonly parameters: object | null
  readonly resources?: readonly string[]
  readonly reasons?: readonly object[]
}

async function requireOneRecord(refusal: Refusal): Promise<void> {
  const earlier = (await recordsOf(server.directory)).length
  const error: unknown = await refusal.run(kms).then(
    () => assert.fail('it must be refused'),
    (reason: unknown) => reason,
  )
  const records = await recordsSince(earlier)
  assert.equal(records.length, 1)
  const [record] = records
  const { $metadata } = error as { readonly $metadata?: { readonly requestId?: string } }
  assert.equal(record?.requestID, $metadata?.requestId)
  assert.equal(record?.errorCode, refusal.errorCode)
  assert.equal(record?.errorMessage, refusal.errorMessage)
  assert.equal(record?.responseElements, null)
  assert.deepEqual(record?.requestParameters, refusal.parameters)
  assert.deepEqual(
    (record?.resources ?? []).map(({ ARN }) => ARN),
    refusal.resources ?? [],
  )
  if (refusal.reasons !== undefined) assert.deepEqual(record?.trent.reasons, refusal.reasons)
}

test('a refusal is recorded with its code, its message and what was asked', async () => {
  const key = await makeKey(kms)
  await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
  await requireOneRecord({
    run: (client) => client.send(new EncryptCommand({ KeyId: key.keyId, Plaintext })),
    errorCode: 'DisabledException',
    errorMessage: `${key.arn} is disabled.`,
    parameters: { keyId: key.keyId, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    resources: [key.arn],
  })
})

test('an exception without a message has none in its record', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const EncryptionContext = { wrong: 'one' }
  await requireOneRecord({
    run: (client) => client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })),
    errorCode: 'InvalidCiphertextException',
    parameters: { encryptionContext: EncryptionContext, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
    resources: [arn],
  })
})

test('what was not found, and what could not be read, is recorded without parameters', async () => {
  const KeyId = '00000000-1111-4222-8333-444444444444'
  await requireOneRecord({
    run: (client) => client.send(new DescribeKeyCommand({ KeyId })),
    errorCode: 'NotFoundException',
    errorMessage: `Key 'arn:aws:kms:${region}:${accountId}:key/${KeyId}' does not exist`,
    parameters: null,
  })
  const items = [
    "Value '' at 'keyId' failed to satisfy constraint: " +
      'Member must have length greater than or equal to 1',
    "Value '' at 'keyId' failed to satisfy constraint: " +
      'Member must satisfy regular expression pattern: ^\\p{ASCII}+$',
  ]
  await requireOneRecord({
    run: (client) => client.send(new DescribeKeyCommand({ KeyId: '' })),
    errorCode: 'ValidationException',
    errorMessage: `2 validation errors detected: ${items.join('; ')}`,
    parameters: null,
  })
})

test('a denial is recorded as AccessDenied, with the statement that denied', async () => {
  const allow = { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }
  const deny = {
    Sid: 'NoDataKeys',
    Effect: 'Deny',
    Principal: '*',
    Action: 'kms:GenerateDataKey',
    Resource: '*',
  }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow, deny] })
  const { keyId: KeyId, arn } = await makeKey(kms, { Policy })
  await requireOneRecord({
    run: (client) => client.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 16 })),
    errorCode: 'AccessDenied',
    errorMessage:
      `User: ${root} is not authorized to perform: kms:GenerateDataKey on resource: ${arn} ` +
      'with an explicit deny in a resource-based policy',
    parameters: { keyId: KeyId, numberOfBytes: 16 },
    resources: [arn],
    reasons: [
      {
        action: 'kms:GenerateDataKey',
        effect: 'explicit-deny',
        policy: 'resource',
        statement: 'NoDataKeys',
      },
    ],
  })
})

test('a dry run is recorded as what it is', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  await requireOneRecord({
    run: (client) => client.send(new EncryptCommand({ KeyId, Plaintext, DryRun: true })),
    errorCode: 'DryRunOperationException',
    errorMessage: 'The request would have succeeded, but the DryRun option is set.',
    parameters: { keyId: KeyId, encryptionAlgorithm: 'SYMMETRIC_DEFAULT', dryRun: true },
    resources: [arn],
  })
})

test('a refused change leaves one record, and so do changes that raced', async () => {
  const { keyId: TargetKeyId } = await makeKey(kms)
  const earlier = (await recordsOf(server.directory)).length
  const make = new CreateAliasCommand({ AliasName: 'alias/raced', TargetKeyId })
  await Promise.allSettled(Array.from({ length: 6 }, () => kms.send(make)))
  const codes = (await recordsSince(earlier)).map(({ errorCode }) => errorCode ?? 'made').sort()
  assert.deepEqual(codes, [...Array<string>(5).fill('AlreadyExistsException'), 'made'])
})

test('a caller of another account is recorded as itself, denied', async () => {
  const { arn } = await makeKey(kms)
  const earlier = (await recordsOf(server.directory)).length
  const denied = server.otherClient().send(new DescribeKeyCommand({ KeyId: arn }))
  await assert.rejects(denied, { name: 'AccessDeniedException' })
  const [record, ...more] = await recordsSince(earlier)
  assert.equal(more.length, 0)
  assert.equal(record?.userIdentity['accountId'], otherAccountId)
  assert.equal(record?.recipientAccountId, otherAccountId)
  assert.equal(record?.errorCode, 'AccessDenied')
})

test('the record of a refusal tells of another account’s key no more than the answer', async () => {
  const { keyId, arn } = await makeKey(kms)
  const AliasName = 'alias/theirs'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keyId }))
  const Statement = [
    { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'kms:*', Resource: '*' },
    {
      Sid: 'Theirs',
      Effect: 'Deny',
      Principal: { AWS: otherAccountId },
      Action: 'kms:Encrypt',
      Resource: '*',
    },
  ]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
  const { CiphertextBlob = new Uint8Array() } = await kms.send(
    new EncryptCommand({ KeyId: keyId, Plaintext }),
  )
  const ofNoKey = CiphertextBlob.with(10, (CiphertextBlob[10] ?? 0) ^ 1)
  const none = arn.replace(keyId, '00000000-0000-4000-8000-000000000000')
  const aliases = `arn:aws:kms:${region}:${accountId}:${AliasName}`
  const other = server.otherClient()
  const encrypt = (KeyId: string): Promise<unknown> =>
    other.send(new EncryptCommand({ KeyId, Plaintext }))
  for (const [there, absent] of [
    [() => encrypt(arn), () => encrypt(none)],
    [() => encrypt(aliases), () => encrypt(`${aliases}-none`)],
    [
      () => other.send(new DisableKeyCommand({ KeyId: arn })),
      () => other.send(new DisableKeyCommand({ KeyId: none })),
    ],
    [
      () => other.send(new DecryptCommand({ CiphertextBlob })),
      () => other.send(new DecryptCommand({ CiphertextBlob: ofNoKey })),
    ],
  ] as const) {
    const told: unknown[] = []
    for (const call of [there, absent]) {
      const earlier = (await recordsOf(server.directory)).length
      await assert.rejects(call(), { name: 'AccessDeniedException' })
      const [record] = await recordsSince(earlier)
      const {
        eventID: _e,
        requestID: _r,
        eventTime: _t,
        requestParameters: _p,
        ...rest
      } = record ?? {}
      told.push(rest)
    }
    assert.deepEqual(told[0], told[1])
    assert.doesNotMatch(JSON.stringify(told), new RegExp(`Theirs|${keyId}`))
  }
})

test('event ids are of one record each, and request ids of one call', async () => {
  const records = (await recordsOf(server.directory)).filter(
    ({ eventType }) => eventType === 'AwsApiCall',
  )
  assert(records.length > 10)
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
  assert.equal(new Set(records.map(({ requestID }) => requestID)).size, records.length)
})

test('a request that nobody known has signed leaves no record', async () => {
  const earlier = (await recordsOf(server.directory)).length
  const request = await signedCall(port, 'CreateKey')
  for (const spoilt of [
    withHeader(request, 'authorization', undefined),
    withHeader(request, 'authorization', 'AWS4-HMAC-SHA256 nonsense'),
    { ...request, body: Buffer.from('{"Description":"changed"}') },
    await signedCall(port, 'CreateKey', { accessKeyId: 'NOTTHERE' }),
    await signedCall(port, 'CreateKey', { secret: 'of-somebody-else' }),
    await signedCall(port, 'CreateKey', { region: 'mars-north-1' }),
    await signedCall(port, 'CreateKey', { at: 0 }),
    await signedCall(port, 'NoSuchOperation'),
  ]) {
    assert.equal((await send({ port }, spoilt)).status, 400)
  }
  await fetch(`${server.url}/healthz`)
  await fetch(`${server.url}/nothing-here`)
  assert.deepEqual(await recordsSince(earlier), [])
})

test('a parameter that would make a record too long is left out of it, and the rest is there', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  const pairs = Array.from({ length: 2000 }, (_, index) => [`k${index}`, 'v'.repeat(100)])
  const EncryptionContext = Object.fromEntries(pairs) as Record<string, string>
  const earlier = (await recordsOf(server.directory)).length
  await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
  const [record, ...more] = await recordsSince(earlier)
  assert.equal(more.length, 0)
  const { encryptionContext, ...rest } = record?.requestParameters ?? {}
  assert.deepEqual(rest, { keyId: KeyId, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
  const { originalSize, ...said } = encryptionContext as Record<string, unknown>
  assert.deepEqual(said, { omitted: true, reason: 'the record would be too long' })
  assert(Number(originalSize) > 128 * 1024)
  assert.deepEqual(record?.resources, [{ accountId, type: 'AWS::KMS::Key', ARN: arn }])
})

test('a user agent of any length is cut in the record', async () => {
  const earlier = (await recordsOf(server.directory)).length
  await callByHand(port, 'ListKeys', { headers: { 'user-agent': 'u'.repeat(5000) } })
  const [record] = await recordsSince(earlier)
  assert.equal(record?.userAgent, 'u'.repeat(1024))
})
