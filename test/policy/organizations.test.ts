/** What the organisations of the caller's and the key's account limit, and whom they do not reach. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts'
import type { Decision, Grant, Policies } from '../../src/policy/decision.ts'
import type { PolicyKind } from '../../src/policy/document.ts'
import { describeFault } from '../../src/policy/malformed.ts'
import { accessDenied } from '../../src/policy/refusal.ts'
import { readPolicy } from '../../src/policy/validate.ts'
import type { Caller } from '../../src/model/caller.ts'
import * as given from './given.ts'

const { ask, delegating, other, own, rootArn, user } = given
const alice = user('alice')
const compiled = (kind: PolicyKind, ...statements: readonly object[]): CompiledPolicy => {
  const policy = compilePolicy(
    JSON.stringify({ Version: '2012-10-17', Statement: statements }),
    kind,
  )
  assert.equal(policy.broken, undefined)
  return policy
}
const scp = (...statements: readonly object[]): CompiledPolicy =>
  compiled('service-control', ...statements)
const rcp = (...statements: readonly object[]): CompiledPolicy =>
  compiled('resource-control', ...statements)
const full = scp({ Effect: 'Allow', Action: '*', Resource: '*' })
const decryptOnly = scp({ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' })
const noEncrypt = scp({ Sid: 'NoEncrypt', Effect: 'Deny', Action: 'kms:Encrypt', Resource: '*' })
const keepIn = rcp({
  Sid: 'KeepIn',
  Effect: 'Deny',
  Principal: '*',
  Action: 'kms:*',
  Resource: '*',
  Condition: { StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-ours' } },
})
const everyone = given.keyPolicy({
  Effect: 'Allow',
  Principal: '*',
  Action: 'kms:*',
  Resource: '*',
})
const onKey = (more: Partial<Policies>): Policies =>
  given.onKey(delegating, { identity: [given.allowsAll], ...more })

const decide = (
  caller: Caller,
  policies: Policies,
  action = 'kms:Encrypt',
  grants: readonly Grant[] = [],
): Decision => authorize(ask(caller, action), policies, grants)
const first = ({ decision, reasons: [reason] }: Decision): string =>
  decision === 'allow' ? 'allow' : `${reason?.effect} ${reason?.policy}`

test('each level of the organisation must allow, by one of its policies', () => {
  const by = (...serviceControl: CompiledPolicy[][]): string =>
    first(decide(alice, onKey({ serviceControl })))
  assert.equal(by(), 'allow')
  assert.equal(by([full]), 'allow')
  assert.equal(by([decryptOnly, full], [full]), 'allow')
  assert.equal(by([decryptOnly]), 'implicit-deny service-control')
  assert.equal(by([full], [decryptOnly]), 'implicit-deny service-control')
  assert.equal(by([full, noEncrypt]), 'explicit-deny service-control')
  assert.equal(by([noEncrypt]), 'explicit-deny service-control')
})

test('root users are limited as well, whatever the key policy or a grant gives', () => {
  const serviceControl = [[decryptOnly]]
  assert.equal(first(decide(given.root(), onKey({}))), 'allow')
  assert.equal(
    first(decide(given.root(), onKey({ serviceControl }))),
    'implicit-deny service-control',
  )
  const byPolicy = given.onKey(everyone, { serviceControl })
  assert.equal(first(decide(alice, byPolicy)), 'implicit-deny service-control')
  const grant = { grantId: 'g', granteePrincipal: alice.arn, operations: ['Encrypt', 'Decrypt'] }
  const byGrant = given.onKey(
    given.keyPolicy({
      Effect: 'Allow',
      Principal: { AWS: rootArn(other) },
      Action: '*',
      Resource: '*',
    }),
    { serviceControl },
  )
  assert.equal(
    first(decide(alice, byGrant, 'kms:Encrypt', [grant])),
    'implicit-deny service-control',
  )
  assert.equal(first(decide(alice, byGrant, 'kms:Decrypt', [grant])), 'allow')
})

test('what needs no key is limited too, and operators’ own calls are not', () => {
  const policies: Policies = {
    identityOnly: true,
    identity: [given.allowsAll],
    serviceControl: [[decryptOnly]],
  }
  const request = ask(alice, 'kms:CreateKey', given.contextOf(), '*')
  assert.equal(first(authorize(request, policies, [])), 'implicit-deny service-control')
  const operator: Caller = {
    kind: 'operator',
    accountId: own,
    arn: 'arn:aws:trent::1:operator/x',
    uniqueId: 'x',
  }
  const mine = given.identityPolicy({ Effect: 'Allow', Action: 'trent:*', Resource: '*' })
  const call = ask(operator, 'trent:GetStatus', given.contextOf(), '*')
  assert.equal(first(authorize(call, { ...policies, identity: [mine] }, [])), 'allow')
})

test('a resource control policy keeps out whom its conditions mean, and gives nothing', () => {
  const limited = given.onKey(everyone, { resourceControl: [keepIn] })
  const from = (org: string | undefined, action = 'kms:Encrypt'): string => {
    const context = given.contextOf(
      org === undefined ? { 'aws:PrincipalOrgID': [] } : { 'aws:PrincipalOrgID': org },
    )
    return first(authorize(ask(alice, action, context), limited, []))
  }
  assert.equal(from('o-ours'), 'allow')
  assert.equal(from('o-other'), 'explicit-deny resource-control')
  const fullAccess = rcp({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' })
  const none = given.onKey(
    given.keyPolicy({ Effect: 'Allow', Principal: { AWS: other }, Action: '*', Resource: '*' }),
    { resourceControl: [fullAccess] },
  )
  assert.equal(first(decide(alice, none)), 'implicit-deny resource')
})

test('a resource control policy does not touch RetireGrant, nor what is no resource of KMS or STS', () => {
  const all = rcp({
    Effect: 'Deny',
    Principal: '*',
    Action: ['kms:*', 'iam:*', 'sts:*'],
    Resource: '*',
  })
  const grant = {
    grantId: 'g',
    granteePrincipal: user('bob').arn,
    retiringPrincipal: alice.arn,
    operations: ['Decrypt'],
  }
  const policies = onKey({ resourceControl: [all] })
  assert.equal(first(decide(alice, policies, 'kms:RetireGrant', [grant])), 'allow')
  assert.equal(first(decide(alice, policies, 'kms:RevokeGrant')), 'explicit-deny resource-control')
  const administrator = given.identityPolicy({ Effect: 'Allow', Action: '*', Resource: '*' })
  const by = (action: string): string =>
    first(
      authorize(
        ask(alice, action, given.contextOf(), '*'),
        { identityOnly: true, identity: [administrator], resourceControl: [all] },
        [],
      ),
    )
  assert.equal(by('iam:GetUser'), 'allow')
  assert.equal(by('kms:ListKeys'), 'explicit-deny resource-control')
})

test('service-linked roles are reached by neither kind', () => {
  const linked: Caller = {
    ...given.session('AWSServiceRoleForAutoScaling', 'AutoScaling'),
    roleArn: `arn:aws:iam::${own}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`,
  }
  const none = rcp({ Effect: 'Deny', Principal: '*', Action: 'kms:*', Resource: '*' })
  const limits = { serviceControl: [[noEncrypt]], resourceControl: [none] }
  const policies = given.onKey(everyone, limits)
  assert.equal(first(decide(linked, policies)), 'allow')
  const namesake = {
    ...linked,
    roleArn: `arn:aws:iam::${own}:role/x/aws-service-role/AWSServiceRoleForAutoScaling`,
  }
  assert.equal(first(decide(namesake, policies)), 'explicit-deny service-control')
})

test('a web identity, which is of no account yet, is kept out of roles by resource control alone', () => {
  const provider = `arn:aws:iam::${own}:oidc-provider/idp.example`
  const pod: Caller = { kind: 'web-identity', accountId: own, arn: provider, uniqueId: 'pod' }
  const trust = compilePolicy(
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { Federated: provider },
        Action: 'sts:AssumeRoleWithWebIdentity',
      },
    }),
    'trust',
  )
  const action = 'sts:AssumeRoleWithWebIdentity'
  const by = (limits: Partial<Policies>): string => {
    const request = ask(pod, action, given.contextOf(), given.roleArn('app'))
    return first(authorize(request, given.onKey(trust, limits), []))
  }
  assert.equal(by({}), 'allow')
  assert.equal(by({ serviceControl: [[decryptOnly]] }), 'allow')
  const none = rcp({ Effect: 'Deny', Principal: '*', Action: 'sts:*', Resource: '*' })
  assert.equal(by({ resourceControl: [none] }), 'explicit-deny resource-control')
})

test('a broken policy of an organisation denies', () => {
  const broken = compilePolicy('{}', 'service-control')
  assert.equal(
    first(decide(alice, onKey({ serviceControl: [[broken, full]] }))),
    'implicit-deny service-control',
  )
  assert.equal(
    first(decide(alice, onKey({ resourceControl: [broken] }))),
    'implicit-deny resource-control',
  )
})

test('refusals name the organisation’s policies; another account is not told of the owner’s', () => {
  const refusal = (caller: Caller, policies: Policies, crossAccount: boolean): string =>
    accessDenied(decide(caller, policies), ask(caller, 'kms:Encrypt'), { crossAccount }).message
  const opening = `User: ${alice.arn} is not authorized to perform: kms:Encrypt on resource: ${given.keyArn}`
  assert.equal(
    refusal(alice, onKey({ serviceControl: [[noEncrypt]] }), false),
    `${opening} with an explicit deny in a service control policy`,
  )
  assert.equal(
    refusal(alice, onKey({ serviceControl: [[decryptOnly]] }), false),
    `${opening} because no service control policy allows the kms:Encrypt action`,
  )
  const none = rcp({ Effect: 'Deny', Principal: '*', Action: 'kms:*', Resource: '*' })
  assert.equal(
    refusal(alice, onKey({ resourceControl: [none] }), false),
    `${opening} with an explicit deny in a resource control policy`,
  )
  const mallory = user('mallory', other)
  const foreign = given.onKey(everyone, { identity: [given.allowsAll], resourceControl: [none] })
  assert.match(
    refusal(mallory, foreign, true),
    /because the resource does not exist in this Region/,
  )
  // Nor does its own limit say whether a key that would refuse it is there.
  const closed = given.onKey(delegating, {
    identity: [given.allowsAll],
    serviceControl: [[decryptOnly]],
  })
  assert.match(refusal(mallory, closed, true), /because the resource does not exist in this Region/)
  const open = given.onKey(everyone, {
    identity: [given.allowsAll],
    serviceControl: [[decryptOnly]],
  })
  assert.match(refusal(mallory, open, true), /because no service control policy allows/)
})

const refused: readonly (readonly [PolicyKind, string, object, RegExp])[] = [
  [
    'service-control',
    'another Version',
    { Version: '2008-10-17' },
    /`Version`: it is not 2012-10-17/,
  ],
  ['service-control', 'no Version', { Version: undefined }, /`Version`: it is not 2012-10-17/],
  ['service-control', 'a Principal', { Principal: '*' }, /such a policy names no principal/],
  [
    'service-control',
    'an action without its service',
    { Action: 'Encrypt' },
    /an action has no service prefix/,
  ],
  ['resource-control', 'no Principal', { Principal: undefined }, /for every principal/],
  ['resource-control', 'a Principal by name', { Principal: { AWS: '*' } }, /for every principal/],
  ['resource-control', 'NotPrincipal', { NotPrincipal: '*' }, /has no NotPrincipal/],
  [
    'resource-control',
    'NotAction',
    { Action: undefined, NotAction: 'kms:Encrypt' },
    /has no NotAction/,
  ],
  ['resource-control', 'an Allow', { Effect: 'Allow' }, /denies, but for RCPFullAWSAccess/],
  [
    'resource-control',
    'an Allow of everything under a condition',
    { Effect: 'Allow', Action: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
    /denies, but for/,
  ],
  ['resource-control', 'every action', { Action: '*' }, /names its service/],
]
const written = (
  kind: PolicyKind,
  { Version = '2012-10-17', ...more }: { readonly Version?: string } = {},
  given_ = true,
): string => {
  const principal = kind === 'resource-control' ? { Principal: '*' } : {}
  const Statement = [{ Effect: 'Deny', ...principal, Action: 'kms:*', Resource: '*', ...more }]
  return JSON.stringify({ ...(given_ && { Version }), Statement })
}
for (const [kind, what, change, problem] of refused) {
  test(`${kind} policies with ${what} are refused`, () => {
    assert.ok(readPolicy(written(kind), kind).ok)
    const result = readPolicy(
      written(kind, change, !('Version' in change && change.Version === undefined)),
      kind,
    )
    assert.ok(!result.ok)
    assert.match(describeFault(result.fault), problem)
  })
}

test('an organisation’s policy has 5120 characters at most, white space among them', () => {
  for (const kind of ['service-control', 'resource-control'] as const) {
    const text = written(kind)
    assert.ok(readPolicy(text.padEnd(5120), kind).ok)
    const result = readPolicy(text.padEnd(5121), kind)
    assert.ok(!result.ok)
    assert.equal(describeFault(result.fault), 'the policy has 5121 characters, more than 5120')
  }
})
