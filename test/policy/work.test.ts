/** The worst that policies and requests can ask of a decision, counted in steps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import type { Decision, Policies } from '../../src/policy/decision.ts'
import { newWork, stepsMax } from '../../src/policy/work.ts'
import {
  allowsAll,
  ask,
  contextOf,
  delegating,
  identityPolicy,
  keyPolicy,
  onKey,
  user,
} from './given.ts'
import type { Context } from '../../src/policy/context-values.ts'

/** As many copies as a policy of that many characters holds. */
const filled = (entry: string, characters: number): readonly string[] =>
  Array.from({ length: Math.min(1_000, Math.floor(characters / (entry.length + 3))) }, () => entry)

/** More than one last comparison may take; the limit is looked at between comparisons. */
const slack = 600_000

interface Decided {
  readonly decision: Decision
  /** What the limit let it take. */
  readonly steps: number
  /** Whether twice as much would not have been enough. */
  readonly hard: boolean
}

function decide(policies: Policies, context: Context, action = 'kms:Encrypt'): Decided {
  const caller = user('alice')
  const by = (steps: number): readonly [Decision, number] => {
    const work = newWork(steps)
    const decision = authorize({ ...ask(caller, action, context), work }, policies, [])
    return [decision, steps - work.left]
  }
  const [decision, steps] = by(stepsMax)
  const [, wanted] = by(2 * stepsMax)
  return { decision, steps, hard: wanted > 2 * stepsMax }
}

/** What a user may have: attached policies, those of ten groups, a boundary, a session's. */
const policiesMax = 120
const everywhere = (policy: CompiledPolicy): Policies =>
  onKey(delegating, {
    identity: [...Array.from({ length: policiesMax }, () => policy), allowsAll],
    session: [policy, allowsAll],
  })
const condition = (operator: string, values: readonly string[]): CompiledPolicy =>
  identityPolicy({
    Effect: 'Allow',
    Action: 'kms:*',
    Resource: '*',
    Condition: { [operator]: { 'a:b': values } },
  })
const long = contextOf({ 'a:b': 'a'.repeat(8_000) })
const several = (value: string): Context =>
  contextOf({ 'a:b': Array.from({ length: 700 }, () => value) })

const worst: readonly (readonly [string, Policies, Context])[] = [
  ...['*?a*?a*?a*?a*?z*', '*a?a?a?a?a?a?az*', '*aaab*', `*${'a'.repeat(40)}b*`, '*?b*'].map(
    (pattern) =>
      [
        `${pattern} on an encryption context of 8 KB`,
        everywhere(condition('StringLike', filled(pattern, 6_000))),
        long,
      ] as const,
  ),
  [
    'patterns on many names',
    everywhere(condition('ForAllValues:StringNotLike', filled('*?a*?a*z*', 6_000))),
    several('a'.repeat(20)),
  ],
  [
    'text without case on many values',
    everywhere(condition('ForAnyValue:StringEqualsIgnoreCase', filled('b', 6_000))),
    several('É'.repeat(20)),
  ],
  [
    'ARNs on many values',
    everywhere(condition('ForAnyValue:ArnLike', filled('arn:*:*:*:*:*b', 6_000))),
    several('arn:a:a:a:a:a'),
  ],
  [
    'dates on many values',
    everywhere(condition('ForAnyValue:DateEquals', filled('2030', 6_000))),
    several('2029-12-31T23:59:59Z'),
  ],
  [
    'networks on many values',
    everywhere(condition('ForAnyValue:IpAddress', filled('2001:db8::/32', 6_000))),
    several('2001:db9::1'),
  ],
  [
    'variables that become long',
    everywhere(condition('StringLike', filled('*${a:v}?*', 1_200))),
    contextOf({ 'a:b': 'ab'.repeat(4_000), 'a:v': 'ab'.repeat(900) }),
  ],
  [
    'one session policy of 2 KB',
    onKey(delegating, {
      identity: [allowsAll],
      session: [condition('StringLike', filled('*?a*?a*?a*?a*?z*', 1_900)), allowsAll],
    }),
    contextOf({ 'a:b': 'a'.repeat(16_000) }),
  ],
  [
    'a key policy of 32 KB',
    onKey(
      keyPolicy({
        Effect: 'Allow',
        Principal: '*',
        Action: 'kms:*',
        Resource: '*',
        Condition: { StringLike: { 'a:b': filled('*?a*?a*?a*?z*', 31_000) } },
      }),
    ),
    long,
  ],
]

for (const [what, policies, context] of worst) {
  test(`${what}: the decision stops at its limit, against the caller, and says so`, () => {
    const { decision, steps, hard } = decide(policies, context)
    assert.ok(hard, 'the case is not hard')
    assert.ok(steps <= stepsMax + slack, `${steps} steps`)
    assert.equal(decision.decision, 'deny')
    assert.deepEqual(decision.errors, [])
    assert.ok(
      decision.reasons.some(({ undecided }) => undecided === 'work'),
      JSON.stringify(decision.reasons),
    )
    assert.ok(decision.reasons.length <= 16)
  })
}

test('the most statements, actions and resources that a user can have are decided', () => {
  const statements = Array.from({ length: 85 }, () => ({
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: '*',
  }))
  const resources = Array.from({ length: 80 }, (_, index) => `arn:aws:kms:*:*:key/${index}*`)
  for (const policy of [
    identityPolicy(...statements),
    identityPolicy({ Effect: 'Allow', Action: 'kms:*', Resource: resources }),
    identityPolicy({ Effect: 'Allow', Action: filled('kms:Get*', 5_000), Resource: '*' }),
  ]) {
    const policies = onKey(delegating, {
      identity: [...Array.from({ length: policiesMax }, () => policy), allowsAll],
    })
    const { decision, steps } = decide(policies, contextOf())
    assert.equal(decision.decision, 'allow')
    assert.ok(steps < stepsMax, `${steps} steps`)
  }
})

test('an ordinary decision takes some thousand steps', () => {
  const team = identityPolicy({
    Effect: 'Allow',
    Action: ['kms:Encrypt', 'kms:Decrypt'],
    Resource: 'arn:aws:kms:*:*:key/*',
    Condition: { StringLike: { 'kms:EncryptionContext:team': 'pay*' } },
  })
  const context = contextOf({ 'kms:encryptioncontext:team': 'payments' })
  const { decision, steps } = decide(onKey(delegating, { identity: [team] }), context)
  assert.equal(decision.decision, 'allow')
  assert.ok(steps > 0 && steps < 5_000, `${steps} steps`)
})

const heavy = { StringLike: { 'a:b': filled('*?a*?a*?a*?a*?z*', 5_000) } }
const on = { Action: 'kms:*', Resource: '*' }

test('a Deny that could not be decided counts; what was decided before it stays allowed', () => {
  const denies = identityPolicy({ Sid: 'hard', Effect: 'Deny', ...on, Condition: heavy })
  const denied = decide(onKey(delegating, { identity: [allowsAll, denies] }), long).decision
  assert.deepEqual(denied.reasons, [
    { effect: 'explicit-deny', policy: 'identity', statement: 'hard', undecided: 'work' },
  ])
  const allows = identityPolicy({ Sid: 'hard', Effect: 'Allow', ...on, Condition: heavy })
  const key = keyPolicy({ Effect: 'Allow', Principal: { AWS: user('alice').arn }, ...on })
  const resourcePrincipals = { [user('alice').arn]: user('alice').uniqueId }
  const own = onKey(key, { identity: [], resourcePrincipals })
  assert.equal(decide(own, long).decision.decision, 'allow')
  const { decision } = decide({ ...own, identity: [allows] }, long)
  assert.equal(decision.decision, 'deny')
  assert.ok(decision.reasons.some(({ statement }) => statement === 'hard'))
})

test('the decisions of one request share one limit', () => {
  const policies = onKey(delegating, {
    identity: [identityPolicy({ Effect: 'Allow', ...on, Condition: heavy }), allowsAll],
  })
  const work = newWork()
  const easy = onKey(delegating, { identity: [allowsAll] })
  const of = (asked: Policies, context: Context): string =>
    authorize({ ...ask(user('alice'), 'kms:Encrypt', context), work }, asked, []).decision
  assert.equal(of(easy, contextOf()), 'allow')
  assert.equal(of(policies, long), 'deny')
  assert.equal(of(easy, contextOf()), 'deny', 'nothing is left')
})
