import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { AuthorizationRequest, Decision, Policies } from '../../src/policy/decision.ts'
import type { Caller } from '../../src/model/caller.ts'
import * as given from './given.ts'

const { own, other, root, user, session, ask, onKey, keyPolicy, identityPolicy } = given
const { allowsAll, allowsNothing, deniesAll, delegating } = given
const alice = user('alice')
const bob = user('bob')
const carol = user('carol', other)
const deploy = session('Deploy', 'ci')
const everybody = [alice, bob, carol, deploy, session('Deploy', 'laptop')]
const resourcePrincipals = given.uniqueIdsOf(everybody)

const naming = (...names: readonly string[]): ReturnType<typeof keyPolicy> =>
  keyPolicy({
    Sid: 'named',
    Effect: 'Allow',
    Principal: { AWS: names },
    Action: 'kms:Encrypt',
    Resource: '*',
  })
const denying = (principal: object, more: object = {}): ReturnType<typeof keyPolicy> =>
  keyPolicy(
    { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' },
    { Sid: 'deny', Effect: 'Deny', ...principal, Action: 'kms:Encrypt', Resource: '*', ...more },
  )

function decide(request: AuthorizationRequest, policies: Policies): Decision {
  return authorize(request, { resourcePrincipals, ...policies }, [])
}
const allowed = (decision: Decision): boolean => decision.decision === 'allow'
/** What the refusal names first. */
const because = ({ decision, reasons }: Decision): string =>
  decision === 'allow' ? 'allowed' : `${reasons[0]?.effect} ${reasons[0]?.policy}`

test('the key policy that delegates to the account leaves it to identity policies', () => {
  assert.ok(allowed(decide(ask(alice), onKey(delegating, { identity: [allowsAll] }))))
  assert.deepEqual(decide(ask(alice), onKey(delegating, { identity: [allowsAll] })).reasons, [
    { effect: 'allow', policy: 'resource', statement: 'delegate' },
    { effect: 'allow', policy: 'identity', statement: 'all' },
  ])
  assert.equal(because(decide(ask(alice), onKey(delegating))), 'implicit-deny identity')
  const nothing = onKey(delegating, { identity: [allowsNothing] })
  assert.equal(because(decide(ask(alice), nothing)), 'implicit-deny identity')
})

test('an identity policy alone is never enough on a key', () => {
  const policies = onKey(naming(bob.arn), { identity: [allowsAll] })
  assert.equal(because(decide(ask(alice), policies)), 'implicit-deny resource')
})

test('the root user has what its account is given, and no implicit right', () => {
  assert.ok(allowed(decide(ask(root()), onKey(delegating))))
  assert.equal(because(decide(ask(root()), onKey(naming(alice.arn)))), 'implicit-deny resource')
})

test('the twelve digits of an account are its root ARN', () => {
  assert.ok(allowed(decide(ask(root()), onKey(naming(own)))))
  assert.equal(because(decide(ask(root(other)), onKey(naming(own)))), 'implicit-deny resource')
})

test('a key policy that names a user needs no identity policy', () => {
  assert.ok(allowed(decide(ask(alice), onKey(naming(alice.arn)))))
  assert.equal(because(decide(ask(bob), onKey(naming(alice.arn)))), 'implicit-deny resource')
  const decrypt = ask(alice, 'kms:Decrypt')
  assert.equal(because(decide(decrypt, onKey(naming(alice.arn)))), 'implicit-deny resource')
})

test('a star allows every principal of the account, the root user too', () => {
  for (const caller of [alice, deploy, root()]) {
    assert.ok(allowed(decide(ask(caller), onKey(naming('*')))))
  }
})

test('a namesake of a principal that is gone inherits nothing', () => {
  const namesake: Caller = { ...alice, uniqueId: 'AIDASOMEBODYELSE' }
  assert.equal(because(decide(ask(namesake), onKey(naming(alice.arn)))), 'implicit-deny resource')
  const again: Caller = { ...deploy, uniqueId: 'AROASOMEBODYELSE:ci' }
  for (const name of [deploy.arn, given.roleArn('Deploy')]) {
    assert.ok(allowed(decide(ask(deploy), onKey(naming(name)))))
    assert.equal(because(decide(ask(again), onKey(naming(name)))), 'implicit-deny resource')
  }
})

test('a principal whose unique id is not known is not allowed, and is denied', () => {
  const policies = { ...onKey(naming(alice.arn)), resourcePrincipals: {} }
  assert.equal(because(authorize(ask(alice), policies, [])), 'implicit-deny resource')
  const deny = { ...onKey(denying({ Principal: { AWS: alice.arn } })), resourcePrincipals: {} }
  assert.equal(because(authorize(ask(alice), deny, [])), 'explicit-deny resource')
  assert.ok(allowed(authorize(ask(bob), deny, [])))
})

test('a role ARN means all sessions of the role, a session ARN one', () => {
  const laptop = session('Deploy', 'laptop')
  assert.ok(allowed(decide(ask(laptop), onKey(naming(given.roleArn('Deploy'))))))
  assert.ok(allowed(decide(ask(deploy), onKey(naming(deploy.arn)))))
  assert.equal(because(decide(ask(laptop), onKey(naming(deploy.arn)))), 'implicit-deny resource')
})

test('a role with a path is meant by its whole ARN', () => {
  const roleArn = given.roleArn('a/b/Deploy')
  const policies = {
    ...onKey(naming(roleArn)),
    resourcePrincipals: { [roleArn]: 'AROADEPLOY111111111111' },
  }
  assert.ok(allowed(authorize(ask({ ...deploy, roleArn }), policies, [])))
  assert.equal(because(authorize(ask(deploy), policies, [])), 'implicit-deny resource')
})

test('an explicit deny in any policy wins, and is named', () => {
  const named = naming(alice.arn)
  const by = (policies: Partial<Policies>): string =>
    because(decide(ask(alice), onKey(named, policies)))
  assert.equal(by({}), 'allowed')
  assert.equal(by({ identity: [allowsAll, deniesAll] }), 'explicit-deny identity')
  assert.equal(by({ boundary: deniesAll }), 'explicit-deny boundary')
  assert.equal(by({ session: [allowsAll, deniesAll] }), 'explicit-deny session')
  const denied = denying({ Principal: { AWS: alice.arn } })
  assert.equal(because(decide(ask(alice), onKey(denied))), 'explicit-deny resource')
  assert.ok(allowed(decide(ask(bob), onKey(denied))))
  const decision = decide(ask(alice), onKey(denied))
  assert.deepEqual(decision.reasons, [
    { effect: 'explicit-deny', policy: 'resource', statement: 'deny' },
  ])
})

test('a deny of the account denies everyone in it', () => {
  const denied = onKey(denying({ Principal: { AWS: own } }))
  for (const caller of [alice, deploy, root()]) {
    assert.equal(because(decide(ask(caller), denied)), 'explicit-deny resource')
  }
  const foreign = { ...denied, identity: [allowsAll] }
  assert.ok(allowed(decide(ask(carol), foreign)))
})

test('NotPrincipal excepts a caller only under all of its names', () => {
  const except = (...names: readonly string[]): Policies =>
    onKey(denying({ NotPrincipal: { AWS: names } }))
  assert.ok(allowed(decide(ask(alice), except(alice.arn, own))))
  assert.equal(because(decide(ask(alice), except(alice.arn))), 'explicit-deny resource')
  assert.equal(because(decide(ask(alice), except(own))), 'explicit-deny resource')
  assert.ok(allowed(decide(ask(root()), except(own))))
  const role = given.roleArn('Deploy')
  assert.ok(allowed(decide(ask(deploy), except(deploy.arn, role, own))))
  assert.equal(because(decide(ask(deploy), except(role, own))), 'explicit-deny resource')
  assert.equal(because(decide(ask(bob), except(alice.arn, own))), 'explicit-deny resource')
  assert.ok(allowed(decide(ask(bob), except('*'))))
})

test('a boundary and session policies limit what identity policies and role ARNs give', () => {
  const limits: readonly (readonly [Partial<Policies>, string])[] = [
    [{ boundary: allowsNothing }, 'implicit-deny boundary'],
    [{ session: [allowsNothing] }, 'implicit-deny session'],
    [{ session: [] }, 'implicit-deny session'],
    [{ boundary: allowsNothing, session: [allowsNothing] }, 'implicit-deny boundary'],
  ]
  for (const [limit, expected] of limits) {
    const delegated = onKey(delegating, { identity: [allowsAll], ...limit })
    assert.equal(because(decide(ask(deploy), delegated)), expected)
    const byRole = onKey(naming(given.roleArn('Deploy')), limit)
    assert.equal(because(decide(ask(deploy), byRole)), expected)
    for (const direct of [naming(deploy.arn), naming('*')]) {
      assert.ok(allowed(decide(ask(deploy), onKey(direct, limit))))
    }
    assert.ok(allowed(decide(ask(alice), onKey(naming(alice.arn), limit))))
  }
  const wide = onKey(delegating, {
    identity: [allowsAll],
    boundary: allowsAll,
    session: [allowsNothing, allowsAll],
  })
  assert.ok(allowed(decide(ask(deploy), wide)))
})

test('a caller of another account needs both sides', () => {
  for (const policy of [naming(other), naming(carol.arn), naming('*')]) {
    const both = onKey(policy, { identity: [allowsAll] })
    assert.ok(allowed(decide(ask(carol), both)))
    assert.equal(because(decide(ask(carol), onKey(policy))), 'implicit-deny identity')
    const bounded = { ...both, boundary: allowsNothing }
    assert.equal(because(decide(ask(carol), bounded)), 'implicit-deny boundary')
  }
  const oneSide = onKey(delegating, { identity: [allowsAll] })
  assert.equal(because(decide(ask(carol), oneSide)), 'implicit-deny resource')
  assert.ok(allowed(decide(ask(root(other)), onKey(naming(other)))))
})

test('another account is given only what can be given to it', () => {
  const open = keyPolicy({ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' })
  const policies = onKey(open, { identity: [allowsAll] })
  for (const name of ['Decrypt', 'ReEncryptFrom', 'DescribeKey', 'CreateGrant', 'RevokeGrant']) {
    assert.ok(allowed(decide(ask(carol, `kms:${name}`), policies)))
  }
  for (const name of ['PutKeyPolicy', 'GetKeyPolicy', 'ScheduleKeyDeletion', 'TagResource']) {
    assert.equal(because(decide(ask(carol, `kms:${name}`), policies)), 'implicit-deny resource')
    assert.ok(allowed(decide(ask(alice, `kms:${name}`), policies)))
  }
})

test('aliases and actions on no key are decided by identity policies, in the own account only', () => {
  const policies: Policies = { identityOnly: true, identity: [allowsAll] }
  const aliasArn = `arn:aws:kms:us-west-2:${own}:alias/a`
  const at = (caller: Caller): AuthorizationRequest =>
    ask(caller, 'kms:CreateAlias', undefined, aliasArn)
  assert.ok(allowed(decide(at(alice), policies)))
  assert.ok(allowed(decide(at(root()), { identityOnly: true, identity: [] })))
  assert.equal(because(decide(at(alice), { ...policies, identity: [] })), 'implicit-deny identity')
  assert.equal(because(decide(at(carol), policies)), 'implicit-deny identity')
  assert.equal(because(decide(at(root(other)), policies)), 'implicit-deny identity')
  const limited = { ...policies, session: [allowsNothing] }
  assert.equal(because(decide(at(deploy), limited)), 'implicit-deny session')
})

test('an alias ARN as resource gives no use of the key', () => {
  const aliases = identityPolicy({
    Effect: 'Allow',
    Action: 'kms:*',
    Resource: `arn:aws:kms:*:${own}:alias/*`,
  })
  const keys = identityPolicy({
    Effect: 'Allow',
    Action: 'kms:*',
    Resource: `arn:aws:kms:*:*:key/*`,
  })
  const policies = onKey(delegating, { identity: [aliases] })
  assert.equal(because(decide(ask(alice), policies)), 'implicit-deny identity')
  assert.ok(allowed(decide(ask(alice), onKey(delegating, { identity: [aliases, keys] }))))
})

test('a key without a policy, or with a broken one, denies everyone', () => {
  const decision = decide(ask(root()), { identityOnly: false, identity: [allowsAll] })
  assert.equal(because(decision), 'implicit-deny resource')
  assert.deepEqual(decision.errors, ['no key policy'])
  const broken = decide(ask(root()), onKey(compilePolicy('{"Statement":', 'key')))
  assert.equal(because(broken), 'implicit-deny resource')
  assert.match(broken.errors[0] ?? '', /broken resource policy/)
})

test('a broken policy of any kind denies, for it may have held a deny', () => {
  const broken = compilePolicy('{}', 'identity')
  const named = naming(alice.arn)
  for (const more of [{ identity: [broken] }, { boundary: broken }, { session: [broken] }]) {
    assert.ok(!allowed(decide(ask(alice), onKey(named, more))))
  }
})

test('statements without Action or Resource have no effect', () => {
  const [Effect, Principal] = ['Allow', '*']
  const policy = keyPolicy(
    { Effect, Principal, Action: 'kms:*' },
    { Effect, Principal, Resource: '*' },
    { Effect, Principal, NotAction: [], Resource: '*' },
    { Effect, Principal, Action: 'kms:*', NotResource: [] },
  )
  assert.equal(because(decide(ask(alice), onKey(policy))), 'implicit-deny resource')
})

test('actions are compared without case and by wildcards; kms:ReEncrypt alone gives nothing', () => {
  const of = (Action: string): Decision =>
    decide(
      ask(alice, 'kms:ReEncryptFrom'),
      onKey(keyPolicy({ Effect: 'Allow', Principal: '*', Action, Resource: '*' })),
    )
  for (const action of ['kms:reencryptfrom', 'KMS:ReEncrypt*', 'kms:?eEncryptFrom', '*']) {
    assert.ok(allowed(of(action)))
  }
  for (const action of ['kms:ReEncrypt', 'kms:ReEncryptTo', 'ReEncryptFrom', 's3:*']) {
    assert.ok(!allowed(of(action)))
  }
})

test('NotAction and NotResource cover the others', () => {
  const not = identityPolicy({
    Effect: 'Allow',
    NotAction: 'kms:Decrypt',
    NotResource: given.otherKeyArn,
  })
  const policies = onKey(delegating, { identity: [not] })
  assert.ok(allowed(decide(ask(alice), policies)))
  assert.ok(!allowed(decide(ask(alice, 'kms:Decrypt'), policies)))
  assert.ok(!allowed(decide(ask(alice, 'kms:Encrypt', undefined, given.otherKeyArn), policies)))
})

test('a resource with a variable that has no value is none; NotResource is decided against the caller', () => {
  const Resource = 'arn:aws:kms:*:*:key/${test:id}'
  const context = given.contextOf({ 'test:id': '1234abcd-12ab-34cd-56ef-1234567890ab' })
  const by = (statement: object, withValue: boolean): boolean => {
    const identity = [identityPolicy({ Action: 'kms:*', ...statement })]
    const request = ask(alice, 'kms:Encrypt', withValue ? context : undefined)
    return allowed(decide(request, onKey(delegating, { identity })))
  }
  assert.equal(by({ Effect: 'Allow', Resource }, true), true)
  assert.equal(by({ Effect: 'Allow', Resource }, false), false)
  assert.equal(by({ Effect: 'Allow', NotResource: Resource }, true), false)
  assert.equal(by({ Effect: 'Allow', NotResource: Resource }, false), false)
  const denied = identityPolicy({ Effect: 'Deny', Action: 'kms:*', NotResource: Resource })
  const policies = onKey(delegating, { identity: [allowsAll, denied] })
  assert.ok(allowed(decide(ask(alice, 'kms:Encrypt', context), policies)))
  assert.equal(because(decide(ask(alice), policies)), 'explicit-deny identity')
})

test('conditions of one statement must all hold', () => {
  const Condition = { StringEquals: { 'a:x': '1' }, Bool: { 'a:y': 'true' } }
  const policy = keyPolicy({
    Effect: 'Allow',
    Principal: '*',
    Action: '*',
    Resource: '*',
    Condition,
  })
  const by = (entries: Readonly<Record<string, string>>): boolean =>
    allowed(decide(ask(alice, 'kms:Encrypt', given.contextOf(entries)), onKey(policy)))
  assert.ok(by({ 'A:X': '1', 'a:y': 'true' }))
  assert.ok(!by({ 'a:x': '1', 'a:y': 'false' }))
  assert.ok(!by({ 'a:x': '1' }))
})
