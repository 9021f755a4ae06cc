import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision, Reason } from '../../src/policy/decision.ts'
import { accessDenied, ciphertextRefused, unresolvableResource } from '../../src/policy/refusal.ts'
import { ask, keyArn, other, own, session, user } from './given.ts'

const denied = (effect: Reason['effect'], policy: Reason['policy']): Decision => ({
  decision: 'deny',
  reasons: [{ effect, policy }],
  errors: ['never shown'],
})
const alice = ask(user('alice'))
const opening = `User: arn:aws:iam::${own}:user/alice is not authorized to perform: kms:Encrypt`
const onKey = `${opening} on resource: ${keyArn}`
const said = (decision: Decision, options = { crossAccount: false }, asked = alice): string => {
  const error = accessDenied(decision, asked, options)
  assert.equal(error.code, 'AccessDeniedException')
  return error.message
}

const table: readonly (readonly [Reason['effect'], Reason['policy'], string])[] = [
  ['implicit-deny', 'identity', 'because no identity-based policy allows the kms:Encrypt action'],
  ['implicit-deny', 'resource', 'because no resource-based policy allows the kms:Encrypt action'],
  ['implicit-deny', 'boundary', 'because no permissions boundary allows the kms:Encrypt action'],
  ['implicit-deny', 'session', 'because no session policy allows the kms:Encrypt action'],
  ['explicit-deny', 'identity', 'with an explicit deny in an identity-based policy'],
  ['explicit-deny', 'resource', 'with an explicit deny in a resource-based policy'],
  ['explicit-deny', 'boundary', 'with an explicit deny in a permissions boundary'],
  ['explicit-deny', 'session', 'with an explicit deny in a session policy'],
]
for (const [effect, policy, words] of table) {
  test(`${effect} of ${policy} is said as AWS says it`, () => {
    assert.equal(said(denied(effect, policy)), `${onKey} ${words}`)
  })
}

const unresolvable =
  'on this resource because the resource does not exist in this Region, no resource-based policies ' +
  'allow access, or a resource-based policy explicitly denies access'

test('a caller of another account is told neither the resource nor what its owner says of it', () => {
  const carol = ask(session('r', 's', other))
  const caller = `User: arn:aws:sts::${other}:assumed-role/r/s is not authorized to perform: kms:Encrypt`
  const foreign = { crossAccount: true }
  const identity = said(denied('implicit-deny', 'identity'), foreign, carol)
  assert.equal(
    identity,
    `${caller} on this resource because no identity-based policy allows the kms:Encrypt action`,
  )
  for (const effect of ['implicit-deny', 'explicit-deny'] as const) {
    assert.equal(said(denied(effect, 'resource'), foreign, carol), `${caller} ${unresolvable}`)
  }
  assert.equal(
    said(denied('explicit-deny', 'identity'), foreign, carol),
    `${caller} on this resource with an explicit deny in an identity-based policy`,
  )
  assert.equal(
    unresolvableResource(carol.caller, 'kms:Encrypt').message,
    `${caller} ${unresolvable}`,
  )
})

test('a permission on no resource is said with a star, or without the clause where AWS leaves it out', () => {
  const asked = ask(user('alice'), 'kms:TagResource', undefined, '*')
  const none = 'because no identity-based policy allows the kms:TagResource action'
  const caller = `User: arn:aws:iam::${own}:user/alice is not authorized to perform: kms:TagResource`
  const decision = denied('implicit-deny', 'identity')
  assert.equal(said(decision, { crossAccount: false }, asked), `${caller} on resource: * ${none}`)
  const error = accessDenied(decision, asked, { crossAccount: false, unnamedResource: true })
  assert.equal(error.message, `${caller} ${none}`)
})

test('where authorization itself failed, no reason is given and no detail shown', () => {
  assert.equal(said({ decision: 'deny', reasons: [], errors: ['secret detail'] }), onKey)
})

test('the refusal of a ciphertext does not say whether its key exists', () => {
  assert.equal(ciphertextRefused().code, 'AccessDeniedException')
  assert.equal(
    ciphertextRefused().message,
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
      'region, or you are not allowed to access.',
  )
})
