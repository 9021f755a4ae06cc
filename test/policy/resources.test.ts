import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compileDocument, compilePolicy } from '../../src/policy/compile.ts'
import type { Effect, PolicyKind } from '../../src/policy/document.ts'
import { many, piecesOf } from '../../src/policy/glob.ts'
import { newWork } from '../../src/policy/work.ts'
import {
  allowsAll,
  ask,
  contextOf,
  delegating,
  identityPolicy,
  keyArn,
  onKey,
  other,
  own,
  user,
} from './given.ts'

interface Written {
  readonly kind?: PolicyKind
  readonly effect?: Effect
  readonly negated?: boolean
  readonly arn?: string
}

/** Whether a statement of that resource covers the key: what is undecided goes against the caller. */
function covers(
  entry: string,
  { kind = 'identity', effect = 'Allow', negated = false, arn = keyArn }: Written = {},
): boolean {
  const statement = {
    effect,
    actions: { negated: false, entries: ['kms:*'] },
    resources: { negated, entries: [entry] },
    conditions: [],
  }
  const { statements } = compileDocument({ version: '2012-10-17', statements: [statement] }, kind)
  const context = contextOf({ 'a:one': own, 'a:many': ['x', 'y'], 'a:arn': keyArn })
  const verdict = statements[0]?.coversResource(arn, context, newWork())
  return effect === 'Deny' ? verdict !== false : verdict === true
}

const covering = [
  '*',
  'arn:aws',
  'arn:*',
  'arn:aws:kms',
  'arn:aws:*',
  'arn:aws:kms:*',
  'arn:aws:kms:us-west-2',
  'arn:aws:kms:us-west-*',
  'arn:aws:kms:us*',
  `arn:aws:kms:*:${own}`,
  `arn:aws:kms:us-west-2:${own}`,
  'arn:aws:kms:us-west-2:1111*',
  'arn:aws:kms:us-west-?:*',
  `arn:aws:kms:*:*:key/*`,
  'arn:*:kms:*:*:key/1234abcd-*-1234567890ab',
  keyArn,
  'arn:aws:kms:us-west-2:${a:one}:key/*',
  'arn:aws:kms:us-west-2:${a:one}',
  "arn:aws:kms:us-west-2:${a:none, '111111111111'}",
]
const missing = [
  'arn:aws:s3',
  'arn:aws-cn',
  'arn:aws:kms:us-east-1',
  `arn:aws:kms:*:${other}`,
  'arn:aws:kms:',
  // A wildcard stays in its segment.
  'arn:aws:kms:us*33:key/*',
  'arn:aws:kms:us*11:key/*',
  `arn:aws:kms:us-west-2?${own}?key/*`,
  `arn:aws:kms:*?${own}:key/*`,
  `arn:aws:*:${own}:key/*`,
  'arn:aws:kms:*:key/*',
  'arn:aws:kms:*/*',
  'arn:*/1234abcd-12ab-34cd-56ef-1234567890ab',
  'arn:aws:kms:*1234567890ab',
  'arn:aws:kms:us-west-2:*/1234abcd-12ab-34cd-56ef-1234567890ab',
  'arn:aws:kms:us-west-2:${a:none}',
  `${keyArn}:*`,
]

for (const kind of ['identity', 'service-control', 'resource-control'] as const) {
  for (const effect of ['Allow', 'Deny'] as const) {
    test(`${effect} of ${kind} policies: which resources mean the key, and which do not`, () => {
      for (const entry of covering) {
        assert.equal(covers(entry, { kind, effect }), true, entry)
        assert.equal(covers(entry, { kind, effect, negated: true }), false, entry)
      }
      for (const entry of missing) {
        assert.equal(covers(entry, { kind, effect }), false, entry)
        // What has no value is undecided in NotResource.
        const excepted = entry.includes('a:none') && effect === 'Allow'
        assert.equal(covers(entry, { kind, effect, negated: true }), !excepted, entry)
      }
    })
  }
}

test('the star that ends a pattern goes on over colons, and no other wildcard does', () => {
  const arn = `arn:aws:kms:us-west-2:${own}:alias/team:payments:live`
  const means = (entry: string): boolean => covers(entry, { arn })
  assert.equal(means(`arn:aws:kms:us-west-2:${own}:alias/*`), true)
  assert.equal(means(`arn:aws:kms:us-west-2:${own}:alias/team:*`), true)
  assert.equal(means(`arn:aws:kms:us-west-2:${own}:alias/*:payments:*`), true)
  assert.equal(means(arn), true)
  assert.equal(means(`arn:aws:kms:us-west-2:${own}:alias/*live`), false)
  assert.equal(means(`arn:aws:kms:us-west-2:${own}:alias/team?payments:live`), false)
  assert.equal(means(`arn:aws:kms:us-west-2:${own}:alias/team`), false)
})

test('an incomplete ARN in a key policy goes against the caller', () => {
  const kind = 'key'
  assert.equal(covers('arn:aws:kms', { kind, effect: 'Allow' }), false)
  assert.equal(covers('arn:aws:kms', { kind, effect: 'Deny' }), true)
  assert.equal(covers('arn:aws:kms', { kind, effect: 'Allow', negated: true }), false)
  assert.equal(covers('arn:aws:kms', { kind, effect: 'Deny', negated: true }), true)
  assert.equal(covers('arn:aws:kms:*', { kind, effect: 'Allow' }), true)
  assert.equal(covers('arn:aws:kms:us*33:key/*', { kind, effect: 'Deny' }), false)
})

test('a pattern with very many segments, or a variable of several values, is undecided', () => {
  for (const entry of [`arn${':*'.repeat(100)}`, 'arn:aws:kms:us-west-2:${a:many}:key/*']) {
    for (const negated of [false, true]) {
      assert.equal(covers(entry, { effect: 'Allow', negated }), false)
      assert.equal(covers(entry, { effect: 'Deny', negated }), true)
    }
  }
})

test('what a pattern is compiled to is bounded, whatever its length', (t) => {
  const split = t.mock.method(String.prototype, 'split')
  assert.equal(covers(`arn:${':'.repeat(30_000)}`), false)
  const longest = Math.max(...split.mock.calls.map(({ result }) => result?.length ?? 0))
  assert.ok(longest <= 65, `${longest} segments`)
  assert.deepEqual(piecesOf(`a${'*'.repeat(30_000)}`), ['a', many])
})

test('an incomplete ARN denies, and excepts, in every policy that may hold one', () => {
  const deny = { Effect: 'Deny', Action: 'kms:*', Resource: 'arn:aws:kms' }
  const except = { Effect: 'Allow', Action: 'kms:*', NotResource: 'arn:aws:kms' }
  const decided = (more: Parameters<typeof onKey>[1]): string =>
    authorize(ask(user('alice')), onKey(delegating, { identity: [allowsAll], ...more }), [])
      .decision
  const denying = identityPolicy(deny)
  const rest = { Version: '2012-10-17', Statement: [deny] }
  const serviceControl = compilePolicy(JSON.stringify(rest), 'service-control')
  const resourceControl = compilePolicy(
    JSON.stringify({ ...rest, Statement: [{ ...deny, Principal: '*' }] }),
    'resource-control',
  )
  assert.equal(decided({}), 'allow')
  assert.equal(decided({ identity: [allowsAll, denying] }), 'deny')
  assert.equal(decided({ identity: [identityPolicy(except)] }), 'deny')
  assert.equal(decided({ boundary: identityPolicy(except) }), 'deny')
  assert.equal(decided({ session: [identityPolicy(except)] }), 'deny')
  assert.equal(decided({ serviceControl: [[serviceControl]] }), 'deny')
  assert.equal(decided({ resourceControl: [resourceControl] }), 'deny')
  const narrow = { Effect: 'Allow', Action: 'kms:*', Resource: `arn:aws:kms:*:${own}` }
  assert.equal(decided({ boundary: identityPolicy(narrow) }), 'allow')
})
