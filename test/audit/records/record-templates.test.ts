/** Records made from a template equal records rendered as a whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { factsOfMembers, indexedEvent } from '../../../src/audit/index/indexed-event.ts'
import type { Audited } from '../../../src/audit/records/audited.ts'
import { auditRecord } from '../../../src/audit/records/record.ts'
import { parametersOf } from '../../../src/audit/records/request-parameters.ts'
import type { Caller } from '../../../src/model/caller.ts'
import { lowerFirst } from '../../../src/model/shape.ts'
import type { Reason } from '../../../src/policy/decision.ts'
import { decrypt } from '../../../src/operations/kms/decrypt.ts'
import { encrypt } from '../../../src/operations/kms/encrypt.ts'
import { generateDataKey } from '../../../src/operations/kms/generate-data-key.ts'
import { getCallerIdentity } from '../../../src/operations/sts/get-caller-identity.ts'

const accountId = '111122223333'
const callers: readonly Caller[] = [
  { kind: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, uniqueId: accountId },
  { kind: 'user', accountId, arn: `arn:aws:iam::${accountId}:user/"a`, uniqueId: 'AIDAA' },
]
const text = fc.constantFrom('', 'a', '"\\\u2028', '{"eventID":"x"}', '\ud83d\ude00', '\ud83d')
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 8 })
const context = fc
  .dictionary(fc.constantFrom('purpose', '__proto__', 'toJSON', '1', 'KeyId'), text)
  .map((pairs) => Object.assign(Object.create(null), pairs) as Record<string, string>)
const reason: fc.Arbitrary<Reason & { readonly action: string }> = fc.record({
  action: fc.constantFrom('kms:Encrypt', 'kms:Decrypt'),
  effect: fc.constant('allow'),
  policy: fc.constantFrom('resource', 'grant'),
  statement: text,
})
const mostly = <T>(usual: T, other: T): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 8 }, fc.constant(other))

const generated = fc.record({
  eventId: fc.uuid(),
  requestId: fc.uuid(),
  time: fc.integer({ min: 0, max: 2e12 }),
  operation: fc.constantFrom(encrypt, decrypt, generateDataKey, getCallerIdentity),
  caller: fc.constantFrom(...callers),
  region: mostly('us-west-2', 'eu-west-1'),
  sourceAddress: mostly('192.0.2.1', '2001:db8::1'),
  secure: mostly(true, false),
  userAgent: maybe(text),
  tls: maybe(
    fc.record({ tlsVersion: text, cipherSuite: text, clientProvidedHostHeader: maybe(text) }),
  ),
  input: maybe(
    fc.record(
      { KeyId: text, EncryptionContext: context, EncryptionAlgorithm: text, DryRun: fc.boolean() },
      { requiredKeys: [] },
    ),
  ),
  resources: mostly(
    [{ arn: 'arn:aws:kms:us-west-2:111122223333:key/a', accountId }],
    [{ arn: 'arn:aws:kms:us-west-2:444455556666:key/"', accountId: '444455556666', type: 'A' }],
  ).chain((one) => mostly(one, [...one, ...one])),
  reasons: fc.array(reason, { maxLength: 2 }),
  recipient: mostly(undefined, { attestationDocument: 'x' }),
  grantId: mostly(undefined, 'cc'),
  materials: mostly(undefined, { keyMaterialId: 'aa', sourceKeyMaterialId: 'bb' }),
  keyEvents: mostly(undefined, [{ arn: 'arn', accountId, eventId: 'id' }]),
  sharedEventId: mostly(undefined, 'shared'),
  owner: mostly(undefined, '444455556666'),
  refusals: mostly(undefined, { count: 2, since: 5, calls: [] }),
  outcome: fc.oneof(
    { arbitrary: fc.constant({ ok: true, response: undefined } as const), weight: 8 },
    fc.constant({ ok: true, response: { KeyId: 'a', At: new Date(0) } } as const),
    fc.record({ ok: fc.constant(false), code: text, message: text }),
  ),
})
const call = generated as fc.Arbitrary<Audited> // absent members are undefined here

test('a record from a template has the bytes of a rendered one, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(call, { minLength: 20, maxLength: 60 }), (calls) => {
      for (const audited of calls) {
        // Templates are found by the caller object. A copy has none.
        const rendered = auditRecord({ ...audited, caller: { ...audited.caller } }).record
        assert.equal(auditRecord(audited).record, rendered)
        assert.equal(auditRecord(audited).record, rendered)
        assert.equal(auditRecord(audited).record, rendered)
      }
    }),
    { numRuns: 60 },
  )
})

test('the facts of a record are those that its text has', () => {
  let compared = 0
  fc.assert(
    fc.property(fc.array(call, { minLength: 20, maxLength: 60 }), (calls) => {
      for (const audited of calls) {
        const { record, facts } = [1, 2, 3].map(() => auditRecord(audited)).at(-1) ?? { record: '' }
        if (facts === undefined) continue
        compared += 1
        const event = indexedEvent(record)
        assert(event)
        const { time, eventId: _id, text: _text, ...expected } = event
        assert.deepEqual(factsOfMembers(facts.members), expected)
        assert.equal(facts.time, time)
      }
    }),
    { numRuns: 60 },
  )
  assert(compared > 100, `${compared} records`)
})

test('a template fills in the members of its own call', () => {
  const [caller] = callers
  assert.ok(caller)
  const common = {
    operation: encrypt,
    caller: { ...caller },
    region: 'us-west-2',
    sourceAddress: '192.0.2.1',
    userAgent: 'agent',
    resources: [{ arn: 'arn:aws:kms:us-west-2:111122223333:key/a', accountId }],
    reasons: [],
    outcome: { ok: true, response: undefined },
  } as const
  for (let index = 0; index < 5; index += 1) {
    const eventId = `00000000-0000-4000-8000-00000000000${index}`
    const requestId = `10000000-0000-4000-8000-00000000000${index}`
    const input = { KeyId: `key ${index}` }
    const record = JSON.parse(
      auditRecord({ ...common, eventId, requestId, time: index * 1000, input }).record,
    ) as Record<string, unknown>
    assert.equal(record['eventID'], eventId)
    assert.equal(record['requestID'], requestId)
    assert.equal(record['eventTime'], `1970-01-01T00:00:0${index}Z`)
    assert.deepEqual(record['requestParameters'], {
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      keyId: `key ${index}`,
    })
  }
})

test('parameters are those that the operation names, defaults first, as JSON writes them', () => {
  fc.assert(
    fc.property(call, ({ operation, input = {} }) => {
      const expected: Record<string, unknown> = { ...operation.auditDefaults?.(input) }
      for (const name of operation.audit) {
        if (Object.hasOwn(input, name)) expected[lowerFirst(name)] = input[name]
      }
      const written = Object.keys(expected).length === 0 ? 'null' : JSON.stringify(expected)
      assert.equal(
        parametersOf({ operation, input, outcome: { ok: true, response: undefined } }),
        written,
      )
    }),
  )
})
