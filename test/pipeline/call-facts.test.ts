import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIds, originOf, recordsOf } from '../../src/pipeline/call-facts.ts'
import type { Recordable } from '../../src/pipeline/stages.ts'
import { newWork } from '../../src/policy/work.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import type { Caller } from '../../src/model/caller.ts'
import { createUser } from '../../src/operations/iam/create-user.ts'
import { encrypt } from '../../src/operations/kms/encrypt.ts'
import type { RawRequest } from '../../src/wire/request.ts'

const accountId = '111122223333'
const request: RawRequest = {
  listener: 'public',
  method: 'POST',
  target: '/',
  rawHeaders: ['Host', 'kms.us-west-2.example.com', 'User-Agent', 'test'],
  body: Buffer.alloc(0),
  remoteAddress: '192.0.2.1',
  secure: false,
  signal: new AbortController().signal,
}
const root: Caller = { kind: 'root', accountId, arn: 'arn', uniqueId: accountId }
const ok = { ok: true, response: undefined } as const

function reachedBy(more: Partial<Recordable> = {}): Recordable {
  const scope = { accountId, region: 'us-west-2', partition: 'aws' }
  const { request: of = request } = more
  return {
    operation: encrypt,
    caller: root,
    scope,
    request: of,
    requestId: 'id',
    startedAt: 0,
    route: undefined,
    target: { service: 'kms', operation: 'Encrypt' },
    origin: originOf(of),
    eventId: systemRandom.uuid(),
    idOf: createIds(systemRandom),
    work: newWork(),
    since: 0,
    identifyAgain: () => Promise.reject(new Error('identified again')),
    ...more,
  }
}

function only(reached: Recordable) {
  const records = recordsOf(reached, ok, 0)
  return records.map(({ record }) => JSON.parse(record) as Record<string, unknown>)
}

test('a call over TLS says what was agreed on, and one without has no such member', () => {
  const tls = { version: 'TLSv1.3', cipherSuite: 'TLS_AES_256_GCM_SHA384' }
  const [record] = only(reachedBy({ request: { ...request, secure: true, tls } }))
  assert.deepEqual(record?.['tlsDetails'], {
    tlsVersion: 'TLSv1.3',
    cipherSuite: 'TLS_AES_256_GCM_SHA384',
    clientProvidedHostHeader: 'kms.us-west-2.example.com',
  })
  const [plain] = only(reachedBy())
  assert.equal('tlsDetails' in (plain ?? {}), false)
})

test('IAM is recorded in the one Region of its partition', () => {
  const regionOf = (partition: string): unknown => {
    const scope = { accountId, region: 'eu-home-1', partition }
    return only(reachedBy({ operation: createUser, scope }))[0]?.['awsRegion']
  }
  assert.deepEqual(['aws', 'aws-cn', 'aws-us-gov', 'home'].map(regionOf), [
    'us-east-1',
    'cn-north-1',
    'us-gov-west-1',
    'eu-home-1',
  ])
})

test('what the service does for a call in another Region is a record of its own there', () => {
  const keys = [{ accountId, region: 'eu-west-1', keyId: 'mrk-1' }]
  const event = {
    eventName: 'CreateKey',
    region: 'eu-west-1',
    requestParameters: { Description: 'd' },
    responseElements: { keyMetadata: { keyId: 'mrk-1' } },
    keys,
  }
  const [own, further, ...more] = only(
    reachedBy({ effects: { further: [event], fateUnknown: false } }),
  )
  assert.equal(more.length, 0)
  const { eventID, ...said } = further ?? {}
  assert.notEqual(eventID, own?.['eventID'])
  assert.deepEqual(said, {
    eventVersion: '1.11',
    userIdentity: {
      type: 'Root',
      principalId: accountId,
      arn: 'arn',
      accountId,
      invokedBy: 'kms.amazonaws.com',
    },
    eventTime: '1970-01-01T00:00:00Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'CreateKey',
    awsRegion: 'eu-west-1',
    sourceIPAddress: 'kms.amazonaws.com',
    userAgent: 'kms.amazonaws.com',
    requestParameters: { description: 'd' },
    responseElements: { keyMetadata: { keyId: 'mrk-1' } },
    requestID: 'id',
    readOnly: false,
    resources: [
      { accountId, type: 'AWS::KMS::Key', ARN: `arn:aws:kms:eu-west-1:${accountId}:key/mrk-1` },
    ],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: 'Management',
    trent: { reasons: [] },
  })
})

test('a call that decides again makes its records under the same ids', () => {
  const reached = reachedBy({
    resolved: { keys: new Map(), identities: { named: [], records: {} } },
    concerned: {
      resources: [
        { arn: 'own', accountId },
        { arn: 'one', accountId: '444455556666' },
        { arn: 'two', accountId: '444455556666' },
      ],
      keyArns: {},
    },
    decision: { reasons: [], foreignActions: new Set(), brokenPolicies: [] },
  })
  const ids = (): string[] => recordsOf(reached, ok, 0).map(({ eventId }) => eventId)
  const first = ids()
  assert.equal(new Set(first).size, 2)
  assert.deepEqual(ids(), first)
})
