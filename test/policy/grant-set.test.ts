/** Sets of grants: they answer as the grants one by one do, and cost the same however many there are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createGrantSet, stepsMax, type GrantSet } from '../../src/policy/grant-set.ts'
import { grantGives } from '../../src/policy/grants.ts'
import type { Grant } from '../../src/policy/decision.ts'
import type { GrantConstraints, GrantRecord } from '../../src/model/grant.ts'
import { askedTerms, termsOf, type GrantQuestion } from '../../src/model/grant-terms.ts'
import { grantableOn } from '../../src/operations/kms/grant-rules.ts'
import { newGrant, otherAccountId } from '../store/records.ts'

const user = 'arn:aws:iam::111122223333:user/u'
const thirdAccountId = '777788889999'
const sources = ['arn:aws:s3:::one', 'arn:aws:s3:::two', `arn:aws:s3:::${'long'.repeat(40)}`]

function grant(index: number, members: Partial<GrantRecord> = {}): GrantRecord {
  const grantId = index.toString(16).padStart(64, '0')
  const to = { granteePrincipal: user, granteeId: 'AIDAU' }
  return { ...newGrant(grantId, 'k', { ...to, ...members }), rowVersion: 1 }
}

function setOf(grants: Iterable<GrantRecord>): GrantSet {
  const set = createGrantSet()
  for (const one of grants) set.put(termsOf(one))
  return set
}

function ids(
  set: GrantSet,
  question: GrantQuestion,
  granteeId = 'AIDAU',
  most = Infinity,
): string[] {
  const asked = askedTerms(question)
  return asked === undefined
    ? []
    : (set.find(asked, granteeId, most) ?? []).map((one) => one.grantId)
}

/** What `grantGives` says of each grant. */
function givesAsked(one: Grant, question: GrantQuestion): boolean {
  const { operation, encryptionContext, sourceArn, requested } = question
  return grantGives(one, {
    caller: { kind: 'user', accountId: '', arn: user, uniqueId: 'AIDAU' },
    action: `kms:${operation}`,
    resource: { arn: '', accountId: '' },
    context: new Map(sourceArn === undefined ? [] : [['aws:sourcearn', [sourceArn]]]),
    ...(encryptionContext && { encryptionContext }),
    ...(requested && { requestedGrant: requested }),
  })
}

const texts = fc.constantFrom('a', 'b', '__proto__', '', 'ü', '\ud800', 'x'.repeat(100))
const pairs = fc
  .array(fc.tuple(texts, texts), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries))
const operations = fc.uniqueArray(
  fc.constantFrom('Encrypt', 'Decrypt', 'DescribeKey', 'CreateGrant' as const),
  { minLength: 1 },
)
const constraints: fc.Arbitrary<GrantConstraints> = fc
  .record({
    context: fc.option(fc.tuple(fc.boolean(), pairs)),
    SourceArn: fc.option(fc.constantFrom(...sources), { nil: undefined }),
  })
  .map(({ context, SourceArn }) => ({
    ...(context && {
      [context[0] ? 'EncryptionContextEquals' : 'EncryptionContextSubset']: context[1],
    }),
    ...(SourceArn !== undefined && { SourceArn }),
  }))
const terms = fc.record({
  operations,
  constraints: fc.option(constraints, { nil: undefined }),
  granteeId: fc.constantFrom('AIDAU', 'AIDAOLD'),
  issuingAccountId: fc.constantFrom('111122223333', otherAccountId, thirdAccountId),
  granteePrincipal: fc.constantFrom(user, `arn:aws:iam::${otherAccountId}:user/u`),
})
const questions: fc.Arbitrary<GrantQuestion> = fc
  .record({
    operation: fc.constantFrom('Encrypt', 'Decrypt', 'DescribeKey', 'CreateGrant', 'Sign' as const),
    encryptionContext: fc.option(pairs, { nil: undefined }),
    sourceArn: fc.option(fc.constantFrom(...sources), { nil: undefined }),
    requested: fc.option(
      fc
        .record({ operations, constraints: fc.option(constraints, { nil: undefined }) })
        .map(defined),
      { nil: undefined },
    ),
  })
  .map(({ requested, ...question }) => ({
    ...defined(question),
    ...(question.operation === 'CreateGrant' && requested && { requested }),
  }))

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

test('a set finds just the grants that give a call, while grants come and go', () => {
  fc.assert(
    fc.property(
      fc.array(terms, { maxLength: 24 }),
      fc.array(fc.nat({ max: 23 })),
      fc.array(questions, { minLength: 1, maxLength: 8 }),
      (made, taken, asked) => {
        const grants = made.map((members, index) => grant(index, defined(members) as never))
        const set = setOf(grants)
        // One that is put again is there once.
        for (const one of grants.slice(0, 3)) set.put(termsOf(one))
        const gone = new Set(taken.map((index) => grant(index).grantId))
        for (const id of gone) set.delete(id)
        const left = grants.filter(({ grantId }) => !gone.has(grantId))
        assert.equal(set.size(), left.length)
        for (const question of asked) {
          const wanted = left.filter(
            (one) => one.granteeId === 'AIDAU' && givesAsked(one, question),
          )
          const found = ids(set, question)
          assert.deepEqual(found.toSorted(), wanted.map(({ grantId }) => grantId).toSorted())
          assert.equal(ids(set, question, 'AIDAU', 1).length, Math.min(1, wanted.length))
          // Those come first that need no policy of the caller's account beside them.
          const own = (id: string): boolean =>
            left.some((one) => one.grantId === id && termsOf(one).own)
          assert.deepEqual(
            found.map(own),
            found.map(own).toSorted((a, b) => Number(b) - Number(a)),
          )
        }
        for (const { grantId } of left) set.delete(grantId)
        assert.deepEqual([set.size(), set.bytes()], [0, 0])
      },
    ),
    { numRuns: 2000 },
  )
})

test('grants of equal terms are one entry, and each of them still counts', () => {
  const set = setOf(Array.from({ length: 50_000 }, (_, index) => grant(index)))
  const one = setOf([grant(0)]).bytes()
  assert.ok(set.bytes() < 50_000 * one * 0.5, `${set.bytes()} bytes`)
  const before = set.steps()
  assert.equal(ids(set, { operation: 'Encrypt' }, 'AIDAU', 1).length, 1)
  assert.deepEqual(ids(set, { operation: 'Sign' }), [])
  assert.ok(set.steps() - before <= 2)
  for (let index = 0; index < 49_999; index += 1) set.delete(grant(index).grantId)
  assert.deepEqual(ids(set, { operation: 'Encrypt' }), [grant(49_999).grantId])
  set.delete(grant(49_999).grantId)
  assert.deepEqual(ids(set, { operation: 'Encrypt' }), [])
})

const shapes: readonly [string, (index: number) => Partial<GrantRecord>, GrantQuestion][] = [
  [
    'a pair each',
    (index) => ({ constraints: { EncryptionContextSubset: { purpose: `p-${index}` } } }),
    { operation: 'Encrypt', encryptionContext: { purpose: 'p-40000', more: 'x' } },
  ],
  [
    'a name each',
    (index) => ({ constraints: { EncryptionContextSubset: { [`name-${index}`]: 'v' } } }),
    { operation: 'Encrypt', encryptionContext: { 'name-40000': 'v', more: 'x' } },
  ],
  [
    'a whole context each',
    (index) => ({
      constraints: { EncryptionContextEquals: { tenant: 't', volume: `v-${index}` } },
    }),
    { operation: 'Encrypt', encryptionContext: { volume: 'v-40000', tenant: 't' } },
  ],
  [
    'two pairs each, of which all share one',
    (index) => ({
      constraints: { EncryptionContextSubset: { tenant: 't', volume: `v-${index}` } },
    }),
    { operation: 'Encrypt', encryptionContext: { tenant: 't', volume: 'v-40000' } },
  ],
  [
    'a source each',
    (index) => ({ constraints: { SourceArn: `arn:aws:s3:::bucket-${index}` } }),
    { operation: 'Encrypt', sourceArn: 'arn:aws:s3:::bucket-40000' },
  ],
  [
    'other operations each',
    (index) => ({
      operations: grantableOn({ spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' }).filter(
        (name, place) => name !== 'Encrypt' && ((index >> place) & 1) === 1,
      ),
    }),
    { operation: 'Encrypt' },
  ],
  [
    'a pair each, which does not bind DescribeKey',
    (index) => ({
      operations: ['DescribeKey'],
      constraints: { EncryptionContextSubset: { purpose: `p-${index}` } },
    }),
    { operation: 'DescribeKey' },
  ],
  [
    'a former grantee of the name each',
    (index) => ({ granteeId: index === 40_000 ? 'AIDAU' : `AIDA${index}` }),
    { operation: 'Encrypt' },
  ],
]

for (const [what, members, question] of shapes) {
  test(`50,000 grants with ${what} cost a call as many steps as one`, () => {
    const grants = Array.from({ length: 50_000 }, (_, index) => grant(index, members(index)))
    const set = setOf(grants)
    const wanted = grants.filter((one) => one.granteeId === 'AIDAU' && givesAsked(one, question))
    const found = ids(set, question, 'AIDAU', 1)
    const refused = what.startsWith('other')
      ? []
      : ids(set, { ...question, encryptionContext: { nothing: 'x' }, operation: 'Sign' })
    if (what.startsWith('other')) {
      // What can be combined of the operations of one key bounds the steps, not how many grants there are.
      assert.deepEqual(found, [])
      assert.ok(set.steps() <= 2 ** 10, `${set.steps()} steps`)
      return
    }
    assert.ok(wanted.some(({ grantId }) => grantId === found[0]))
    assert.deepEqual(refused, [])
    assert.ok(set.steps() <= 2, `${set.steps()} steps`)
    const bytes = set.bytes() / set.size()
    assert.ok(bytes < 1000, `${bytes} bytes a grant`)
  })
}

test('long constraints take no more memory than short ones', () => {
  const long = (index: number): GrantConstraints => ({
    EncryptionContextEquals: Object.fromEntries(
      Array.from({ length: 8 }, (_, place) => [`${place}`.repeat(384), `${index}`.repeat(60)]),
    ),
    SourceArn: `arn:${'x'.repeat(500)}`,
  })
  const one = grant(1, { constraints: long(1) })
  const set = setOf([one])
  assert.ok(set.bytes() < 1000)
  const encryptionContext = long(1).EncryptionContextEquals ?? {}
  const sourceArn = one.constraints?.SourceArn ?? ''
  assert.equal(ids(set, { operation: 'Encrypt', encryptionContext, sourceArn }).length, 1)
  assert.equal(ids(set, { operation: 'Encrypt', encryptionContext }).length, 0)
})

test('grants that no single pair tells apart are given up after so many steps, against the caller', () => {
  // Seven of twenty pairs that the call has, and one of twenty that it has not.
  const names = Array.from({ length: 20 }, (_, place) => `n${place}`)
  const grants = Array.from({ length: 50_000 }, (_, index) => {
    const chosen = names.filter((_name, place) => (Math.imul(index + 1, 2654435761) >>> place) & 1)
    const subset = Object.fromEntries([
      ...chosen.slice(0, 7).map((name) => [name, 'x']),
      [`never${index % 20}`, 'x'],
    ])
    return grant(index, { constraints: { EncryptionContextSubset: subset } })
  })
  const set = setOf(grants)
  const asked = askedTerms({
    operation: 'Encrypt',
    encryptionContext: Object.fromEntries(names.map((name) => [name, 'x'])),
  })
  assert.ok(asked)
  const found = set.find(asked, 'AIDAU', 1)
  assert.ok(found === undefined || found.length === 0)
  assert.ok(set.steps() <= stepsMax)
})
