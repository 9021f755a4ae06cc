import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Audited } from '../../../src/audit/records/audited.ts'
import { auditRecord } from '../../../src/audit/records/record.ts'
import { encrypt } from '../../../src/operations/kms/encrypt.ts'

const audited: Audited = {
  eventId: '00000000-0000-4000-8000-000000000001',
  requestId: '00000000-0000-4000-8000-000000000002',
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  operation: encrypt,
  caller: { kind: 'root', accountId: '111122223333', arn: 'arn', uniqueId: '111122223333' },
  region: 'us-west-2',
  sourceAddress: '127.0.0.1',
  userAgent: undefined,
  input: { KeyId: 'alias/a', Plaintext: Buffer.from('secret') },
  resources: [],
  reasons: [],
  outcome: { ok: true, response: undefined },
}

function recordOf(more: Partial<Audited> = {}): Record<string, unknown> {
  return JSON.parse(auditRecord({ ...audited, ...more }).record) as Record<string, unknown>
}

test('an encryption context is recorded pair by pair, whatever its names are', () => {
  const context: Record<string, string> = Object.create(null)
  context['__proto__'] = 'one'
  context['toJSON'] = 'two'
  context['KeyId'] = 'three'
  const { record: text } = auditRecord({
    ...audited,
    input: { KeyId: 'k', EncryptionContext: context },
  })
  assert.match(
    text,
    /"encryptionContext":\{"__proto__":"one","toJSON":"two","KeyId":"three"\}/, // names as they came
  )
})

test('the record of a successful call names its materials, with its other members', () => {
  const materials = { sourceKeyMaterialId: 'aa', destinationKeyMaterialId: undefined }
  const named = recordOf({ materials, grantId: 'cc' })
  assert.deepEqual(named['additionalEventData'], { grantId: 'cc', sourceKeyMaterialId: 'aa' })
  for (const nothing of [
    recordOf({ materials: { keyMaterialId: undefined } }),
    recordOf({ materials, outcome: { ok: false, code: 'ValidationException', message: 'no' } }),
  ]) {
    assert.equal('additionalEventData' in nothing, false)
  }
})

test('missing members are omitted, or null where CloudTrail has null', () => {
  const record = recordOf()
  for (const name of ['userAgent', 'errorCode', 'errorMessage', 'additionalEventData']) {
    assert.equal(name in record, false, name)
  }
  assert.deepEqual(record['trent'], { reasons: [] })
  assert.equal(record['responseElements'], null)
  assert.deepEqual(record['requestParameters'], {
    encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    keyId: 'alias/a',
  })
})

test('a failure is recorded with its message where it has one, and denied access by its other name', () => {
  const failed = (code: string, message: string): Record<string, unknown> =>
    recordOf({ outcome: { ok: false, code, message } })
  const denied = failed('AccessDeniedException', 'no')
  assert.deepEqual([denied['errorCode'], denied['errorMessage']], ['AccessDenied', 'no'])
  const silent = failed('DisabledException', '')
  assert.deepEqual([silent['errorCode'], 'errorMessage' in silent], ['DisabledException', false])
})

test('each record has the second of its own time', () => {
  const times = [audited.time, audited.time + 321, audited.time + 322, audited.time - 679, 0]
  assert.deepEqual(
    times.map((time) => recordOf({ time })['eventTime']),
    [
      '2026-01-02T03:04:05Z',
      '2026-01-02T03:04:05Z',
      '2026-01-02T03:04:06Z',
      '2026-01-02T03:04:04Z',
      '1970-01-01T00:00:00Z',
    ],
  )
})

test('a session for an identity token names the provider that vouched for it', () => {
  const session = {
    kind: 'role',
    accountId: '111122223333',
    principalId: 'AROAEXAMPLE',
    name: 'ci',
    issuedAt: 0,
    expiresAt: 1,
    chained: false,
    policyIds: [],
    tags: [],
    transitiveTagKeys: [],
    webIdentity: { provider: 'id.example.com/ci', audience: 'a', subject: 's', methods: [] },
  } as const
  const caller = {
    kind: 'assumed-role',
    accountId: session.accountId,
    arn: 'arn:aws:sts::111122223333:assumed-role/ci/ci',
    uniqueId: 'AROAEXAMPLE:ci',
    session,
  } as const
  const context = (more: Partial<Audited>): unknown =>
    (recordOf(more)['userIdentity'] as Record<string, unknown>)['sessionContext']
  assert.deepEqual(context({ caller }), {
    webIdFederationData: {
      federatedProvider: 'arn:aws:iam::111122223333:oidc-provider/id.example.com/ci',
      attributes: {},
    },
    attributes: { creationDate: '1970-01-01T00:00:00Z', mfaAuthenticated: 'false' },
  })
  const { webIdentity: _, ...plain } = session
  assert.deepEqual(context({ caller: { ...caller, session: plain } }), {
    attributes: { creationDate: '1970-01-01T00:00:00Z', mfaAuthenticated: 'false' },
  })
})
