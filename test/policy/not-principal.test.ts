import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { allowsPutKeyPolicy } from '../../src/policy/key-policy.ts'
import { simulatedPolicy, simulator } from '../../src/policy/simulate.ts'
import { readPolicy } from '../../src/policy/validate.ts'
import { newWork } from '../../src/policy/work.ts'
import type { Caller } from '../../src/model/caller.ts'
import {
  allowsAll,
  ask,
  contextOf,
  keyArn,
  keyPolicy,
  onKey,
  own,
  roleArn,
  rootArn,
  session,
  uniqueIdsOf,
  user,
} from './given.ts'

const alice = user('alice')
const deploy = session('Deploy', 'ci')
const resourcePrincipals = uniqueIdsOf([alice, deploy])
const allow = { Effect: 'Allow', Principal: { AWS: rootArn(own) }, Action: 'kms:*', Resource: '*' }
const excepted = [rootArn(own), alice.arn, deploy.arn, roleArn('Deploy')]
const deny = { Effect: 'Deny', NotPrincipal: { AWS: excepted }, Action: 'kms:*', Resource: '*' }
const policy = keyPolicy(allow, deny)

for (const caller of [alice, deploy] satisfies Caller[]) {
  test(`Deny with NotPrincipal excepts ${caller.kind} without a boundary, and denies it with one`, () => {
    const decide = (more: Parameters<typeof onKey>[1]) =>
      authorize(
        ask(caller),
        onKey(policy, { identity: [allowsAll], resourcePrincipals, ...more }),
        [],
      )
    assert.equal(decide({}).decision, 'allow')
    const denied = decide({ boundary: allowsAll })
    assert.equal(denied.decision, 'deny')
    assert.deepEqual(denied.reasons[0], {
      effect: 'explicit-deny',
      policy: 'resource',
      statement: '#1',
    })
  })
}

test('a Deny with Principal goes on meaning those that it lists, with a boundary or without', () => {
  const other = { Effect: 'Deny', Principal: { AWS: user('bob').arn }, Action: '*', Resource: '*' }
  const policies = onKey(keyPolicy(allow, other), { identity: [allowsAll], boundary: allowsAll })
  assert.equal(authorize(ask(alice), policies, []).decision, 'allow')
})

test('the check against a lockout knows of the boundary', () => {
  const named = keyPolicy({ ...allow, Principal: { AWS: alice.arn } }, deny)
  const asked = {
    caller: alice,
    resource: { arn: keyArn, accountId: own },
    context: contextOf(),
  }
  const may = (bounded: boolean): boolean =>
    allowsPutKeyPolicy(named, { ...asked, bounded }, resourcePrincipals)
  assert.equal(may(false), true)
  assert.equal(may(true), false)
})

test('a simulation with a boundary denies as well', () => {
  const read = (statement: object, kind: 'identity' | 'key') => {
    const text = JSON.stringify({ Version: '2012-10-17', Statement: statement })
    const result = readPolicy(text, kind)
    assert.ok(result.ok)
    assert.equal(compilePolicy(text, kind).broken, undefined)
    return simulatedPolicy('p', kind === 'key' ? 'resource' : 'none', text, result.document, kind)
  }
  const everything = read({ Effect: 'Allow', Action: '*', Resource: '*' }, 'identity')
  const resource = read([allow, deny], 'key')
  const posed = {
    action: 'kms:Encrypt',
    resource: { arn: keyArn, accountId: own },
    context: contextOf(),
  }
  const decided = (more: object): string =>
    simulator(
      { identity: [everything], resource, ...more },
      { ...alice, uniqueId: alice.arn },
    )({
      ...posed,
      work: newWork(),
    }).decision
  assert.equal(decided({}), 'allowed')
  assert.equal(decided({ boundary: everything }), 'explicitDeny')
})
