import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Audited } from '../../../src/audit/records/audited.ts'
import { auditRecord } from '../../../src/audit/records/record.ts'
import { refusedRecordBytesMax } from '../../../src/audit/records/refused-record.ts'
import { createPolicy } from '../../../src/operations/iam/create-policy.ts'
import { createKey } from '../../../src/operations/kms/create-key.ts'
import { encrypt } from '../../../src/operations/kms/encrypt.ts'

const message = 'User: arn is not authorized to perform: kms:Encrypt'
const audited: Audited = {
  eventId: '00000000-0000-4000-8000-000000000001',
  requestId: '00000000-0000-4000-8000-000000000002',
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  operation: encrypt,
  caller: { kind: 'root', accountId: '111122223333', arn: 'arn', uniqueId: '111122223333' },
  region: 'us-west-2',
  sourceAddress: '127.0.0.1',
  userAgent: undefined,
  input: { KeyId: 'alias/a' },
  resources: [],
  reasons: [],
  outcome: { ok: false, code: 'AccessDeniedException', message },
}

interface Read {
  readonly eventID: string
  readonly errorCode: string
  readonly errorMessage: string
  readonly requestParameters: Readonly<Record<string, unknown>>
  readonly trent: { readonly reasons: readonly Readonly<Record<string, unknown>>[] }
}

function recordOf(more: Partial<Audited>): Read {
  const { record: text } = auditRecord({ ...audited, ...more })
  assert(Buffer.byteLength(text) <= refusedRecordBytesMax, `${Buffer.byteLength(text)} bytes`)
  assert.doesNotMatch(text, /\n/)
  const record = JSON.parse(text) as Read // made by `record.ts`
  assert.equal(record.eventID, audited.eventId)
  assert.equal(record.errorCode, 'AccessDenied')
  return record
}

test('a small refused call is recorded whole', () => {
  assert.deepEqual(recordOf({}).requestParameters, {
    encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    keyId: 'alias/a',
  })
})

test('the largest parameter of a refused call is omitted and marked, and the rest is recorded', () => {
  const PolicyDocument = 'p'.repeat(100_000)
  const input = { PolicyName: 'name', PolicyDocument, Path: '/path/' }
  const { requestParameters, errorMessage } = recordOf({
    operation: createPolicy,
    input,
  })
  assert.deepEqual(requestParameters, {
    policyName: 'name',
    path: '/path/',
    policyDocument: {
      omitted: true,
      originalSize: 100_002,
      reason: 'the record would be too long',
    },
  })
  assert.equal(errorMessage, message)
})

test('many parameters that are too long together are left out one by one', () => {
  const Tags = Array.from({ length: 50 }, (_, index) => ({
    TagKey: `k${index}`,
    TagValue: 'v'.repeat(100),
  }))
  const input = { Policy: 'p'.repeat(32_768), Description: 'd'.repeat(7000), Tags }
  const { requestParameters } = recordOf({ operation: createKey, input })
  const cut = Object.entries(requestParameters).filter(
    ([, value]) => (value as { readonly omitted?: boolean }).omitted === true,
  )
  assert.deepEqual(cut.map(([name]) => name).toSorted(), ['description', 'policy'])
})

test('a message, reasons and names of any length are cut, and say so; the last reasons stay', () => {
  const reasons = Array.from({ length: 300 }, (_, index) => ({
    action: 'kms:Encrypt',
    effect: 'implicit-deny' as const,
    policy: 'identity' as const,
    statement: `${index}${'s'.repeat(2000)}`,
  }))
  const outcome = { ok: false, code: 'AccessDeniedException', message: 'm'.repeat(9000) } as const
  const record = recordOf({ reasons, outcome })
  assert.match(record.errorMessage, /^m{100,}… \[9002 bytes\]$/)
  const [first, ...last] = record.trent.reasons
  assert.deepEqual(first, { omitted: true, originalLength: 300 })
  assert.deepEqual(
    last.map(({ statement }) => String(statement).slice(0, 3)),
    ['292', '293', '294', '295', '296', '297', '298', '299'],
  )
})

test('no refused call leaves a record of more than 8 KB, whatever it sends', () => {
  const text = fc
    .tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.integer({ min: 1, max: 400 }))
    .map(([some, times]) => some.repeat(times))
  const pairs = fc.dictionary(text, text, { maxKeys: 30 })
  fc.assert(
    fc.property(text, pairs, text, text, text, (KeyId, EncryptionContext, said, name, agent) => {
      recordOf({
        input: { KeyId, EncryptionContext, GrantTokens: [KeyId, said] },
        userAgent: agent,
        caller: { ...audited.caller, arn: name, uniqueId: name, userName: name },
        tls: { tlsVersion: 'TLSv1.3', cipherSuite: 'x', clientProvidedHostHeader: agent },
        outcome: { ok: false, code: 'AccessDeniedException', message: said },
        resources: [{ arn: name, accountId: '111122223333' }],
        recipient: { attestationDocumentModuleId: said },
      })
    }),
  )
})

test('a call that succeeded keeps its parameters', () => {
  const EncryptionContext = { a: 'v'.repeat(20_000) }
  const { record: text } = auditRecord({
    ...audited,
    input: { KeyId: 'k', EncryptionContext },
    outcome: { ok: true, response: undefined },
  })
  assert.match(text, /v{20000}/)
})
