/** What grants give within their constraints, and that no child gives more than its parent. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { authorize } from '../../src/policy/authorize.ts'
import type {
  AuthorizationRequest,
  Grant,
  Policies,
  RequestedGrant,
} from '../../src/policy/decision.ts'
import { grantGives, isNarrower } from '../../src/policy/grants.ts'
import type { GrantConstraints } from '../../src/model/grant.ts'
import {
  allowsAll,
  allowsNothing,
  ask,
  contextOf,
  deniesAll,
  keyPolicy,
  onKey,
  other,
  own,
  root,
  rootArn,
  user,
} from './given.ts'
import { printedSeed } from './seed.ts'

const alice = user('alice')
const carol = user('carol', other)
const silent = onKey(
  keyPolicy({
    Effect: 'Allow',
    Principal: { AWS: rootArn(own) },
    Action: 'kms:Put*',
    Resource: '*',
  }),
)
const sourceArn = 'arn:aws:s3:us-west-2:111111111111:b'

function grant(more: Partial<Grant> = {}): Grant {
  return { grantId: 'g', granteePrincipal: alice.arn, operations: ['Encrypt'], ...more }
}

function gives(
  constraints: GrantConstraints,
  action: string,
  encryptionContext?: Readonly<Record<string, string>>,
  source?: readonly string[],
): boolean {
  const operations = ['Encrypt', 'DescribeKey', 'RetireGrant', 'GetPublicKey']
  const context = source === undefined ? contextOf() : contextOf({ 'aws:SourceArn': source })
  const request = {
    ...ask(alice, action, context),
    ...(encryptionContext && { encryptionContext }),
  }
  return grantGives(grant({ operations, constraints }), request)
}

test('EncryptionContextEquals is met by just its pairs, in any order', () => {
  const constraints = { EncryptionContextEquals: { a: '1', b: '2' } }
  assert.ok(gives(constraints, 'kms:Encrypt', { b: '2', a: '1' }))
  for (const context of [
    undefined,
    {},
    { a: '1' },
    { a: '1', b: '2', c: '3' },
    { a: '1', B: '2' },
    { a: '1', b: '' },
    { a: '1', c: '2' },
  ]) {
    assert.ok(!gives(constraints, 'kms:Encrypt', context), JSON.stringify(context))
  }
  assert.ok(gives({ EncryptionContextEquals: {} }, 'kms:Encrypt'))
  assert.ok(!gives({ EncryptionContextEquals: {} }, 'kms:Encrypt', { a: '1' }))
})

test('EncryptionContextSubset is met by all that has its pairs', () => {
  const constraints = { EncryptionContextSubset: { a: '1', b: '2' } }
  assert.ok(gives(constraints, 'kms:Encrypt', { a: '1', b: '2' }))
  assert.ok(gives(constraints, 'kms:Encrypt', { a: '1', b: '2', c: '3' }))
  for (const context of [undefined, {}, { a: '1' }, { a: '1', b: '3' }, { A: '1', b: '2' }]) {
    assert.ok(!gives(constraints, 'kms:Encrypt', context), JSON.stringify(context))
  }
})

test('names that every object inherits are pairs of no context', () => {
  const inherited = { EncryptionContextSubset: { constructor: 'x' } }
  assert.ok(!gives(inherited, 'kms:Encrypt', {}))
  const proto = JSON.parse('{"__proto__":"x"}') as Record<string, string>
  assert.ok(!gives({ EncryptionContextSubset: proto }, 'kms:Encrypt', { a: 'x' }))
  assert.ok(gives({ EncryptionContextEquals: proto }, 'kms:Encrypt', proto))
})

test('an encryption context binds neither DescribeKey nor RetireGrant', () => {
  const constraints = { EncryptionContextEquals: { a: '1' } }
  assert.ok(gives(constraints, 'kms:DescribeKey'))
  assert.ok(gives(constraints, 'kms:RetireGrant'))
  assert.ok(!gives(constraints, 'kms:GetPublicKey'))
})

test('a SourceArn binds all but RetireGrant', () => {
  const constraints = { SourceArn: sourceArn }
  for (const action of ['kms:Encrypt', 'kms:DescribeKey']) {
    assert.ok(gives(constraints, action, {}, [sourceArn]))
    for (const source of [undefined, [], ['arn:aws:s3:::b'], [sourceArn, sourceArn]]) {
      assert.ok(!gives(constraints, action, {}, source), action)
    }
  }
  assert.ok(gives(constraints, 'kms:RetireGrant'))
  const both = { ...constraints, EncryptionContextEquals: { a: '1' } }
  assert.ok(gives(both, 'kms:Encrypt', { a: '1' }, [sourceArn]))
  assert.ok(!gives(both, 'kms:Encrypt', {}, [sourceArn]))
  assert.ok(!gives(both, 'kms:Encrypt', { a: '1' }))
})

test('what a grant does not give for its constraints is said to be missing in the key policy', () => {
  const constrained = grant({ constraints: { EncryptionContextEquals: { a: '1' } } })
  const { decision, reasons } = authorize(ask(alice), silent, [constrained])
  assert.deepEqual([decision, reasons], ['deny', [{ effect: 'implicit-deny', policy: 'resource' }]])
  const request = { ...ask(alice), encryptionContext: { a: '1' } }
  assert.equal(authorize(request, silent, [constrained]).decision, 'allow')
  // A second grant may give what the first does not.
  assert.equal(authorize(ask(alice), silent, [constrained, grant()]).decision, 'allow')
})

test('a grant gives CreateGrant for what is narrower than itself, and for nothing unsaid', () => {
  const parent = grant({ operations: ['CreateGrant', 'Encrypt'] })
  const decide = (requestedGrant?: RequestedGrant, grants = [parent]): string =>
    authorize(
      { ...ask(alice, 'kms:CreateGrant'), ...(requestedGrant && { requestedGrant }) },
      silent,
      grants,
    ).decision
  assert.equal(decide({ operations: ['Encrypt'] }), 'allow')
  assert.equal(decide({ operations: ['Encrypt', 'CreateGrant'] }), 'allow')
  assert.equal(decide({ operations: ['Decrypt'] }), 'deny')
  assert.equal(decide(undefined), 'deny')
  // One parent must have it all: two halves are none.
  const halves = [parent, grant({ operations: ['CreateGrant', 'Decrypt'] })]
  assert.equal(decide({ operations: ['Decrypt'] }, halves), 'allow')
  assert.equal(decide({ operations: ['Encrypt', 'Decrypt'] }, halves), 'deny')
  assert.equal(decide({ operations: ['Encrypt'] }, [grant()]), 'deny')
})

function retires(
  caller: AuthorizationRequest['caller'],
  more: Partial<Grant>,
  policies: Policies = silent,
): string {
  const { decision } = authorize(ask(caller, 'kms:RetireGrant'), policies, [grant(more)])
  return decision
}
const retiring = { granteePrincipal: rootArn(other), retiringPrincipal: alice.arn }

test('RetireGrant is for the retiring principal, a grantee that has it, and the issuing account', () => {
  assert.equal(retires(alice, retiring), 'allow')
  assert.equal(retires(alice, { operations: ['Encrypt', 'RetireGrant'] }), 'allow')
  assert.equal(retires(alice, {}), 'deny')
  assert.equal(retires(root(), {}), 'allow')
  assert.equal(retires(root(other), {}), 'deny')
  assert.equal(retires(root(other), { issuingAccountId: other }), 'allow')
  assert.equal(retires(root(), { issuingAccountId: other }), 'deny')
  // Of the issuing account, whoever its identity policies let.
  assert.equal(retires(alice, {}, { ...silent, identity: [allowsAll] }), 'allow')
  assert.equal(retires(alice, {}, { ...silent, identity: [allowsNothing] }), 'deny')
})

test('RetireGrant is given by no key policy, and denied by any policy', () => {
  const Principal = { AWS: [alice.arn, rootArn(other)] }
  const generous = keyPolicy({ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' })
  const policies = { ...onKey(generous), resourcePrincipals: { [alice.arn]: alice.uniqueId } }
  const elsewhere = { issuingAccountId: '333333333333' }
  assert.equal(retires(alice, elsewhere, policies), 'deny')
  assert.equal(retires(root(other), elsewhere, policies), 'deny')
  assert.equal(retires(alice, { ...elsewhere, ...retiring }, policies), 'allow')
  assert.equal(retires(alice, retiring, { ...silent, identity: [deniesAll] }), 'deny')
  const denying = keyPolicy({ Effect: 'Deny', Principal: '*', Action: 'kms:*', Resource: '*' })
  assert.equal(retires(alice, retiring, onKey(denying)), 'deny')
})

test('RetireGrant by a retiring principal of another account needs that account too', () => {
  const ofCarol = { retiringPrincipal: carol.arn, retiringId: carol.uniqueId }
  assert.equal(retires(carol, ofCarol), 'deny')
  assert.equal(retires(carol, ofCarol, { ...silent, identity: [allowsAll] }), 'allow')
  assert.equal(retires(carol, { ...ofCarol, issuingAccountId: other }), 'allow')
  const namesake = { ...ofCarol, retiringId: 'AIDAGONE', issuingAccountId: '333333333333' }
  assert.equal(retires(carol, namesake, { ...silent, identity: [allowsAll] }), 'deny')
})

const pairs = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'A'), fc.constantFrom('1', '2'), {
  maxKeys: 3,
})
const constraints = fc.oneof(
  fc.constant(undefined),
  fc.record(
    { EncryptionContextEquals: pairs, SourceArn: fc.constantFrom('x', 'y') },
    { requiredKeys: [] },
  ),
  fc.record(
    { EncryptionContextSubset: pairs, SourceArn: fc.constantFrom('x', 'y') },
    { requiredKeys: [] },
  ),
)
const operations = fc.subarray(
  ['CreateGrant', 'Encrypt', 'Decrypt', 'DescribeKey', 'RetireGrant'],
  { minLength: 1 },
)
const requested: fc.Arbitrary<RequestedGrant> = fc
  .tuple(operations, constraints)
  .map(([given, within]) => ({ operations: given, ...(within && { constraints: within }) }))

test('what a parent lets be made gives nothing that the parent does not give', () => {
  let narrower = 0
  let given = 0
  const property = fc.property(
    requested,
    requested,
    requested,
    fc.constantFrom('Encrypt', 'Decrypt', 'DescribeKey', 'RetireGrant', 'CreateGrant'),
    pairs,
    fc.subarray(['x', 'y']),
    (parent, child, grandchild, operation, encryptionContext, source) => {
      const wide = grant({ ...parent, operations: [...parent.operations, 'CreateGrant'] })
      const context = contextOf({ 'aws:SourceArn': source })
      const making = { ...ask(alice, 'kms:CreateGrant', context), requestedGrant: child }
      if (authorize(making, silent, [wide]).decision !== 'allow') return
      narrower += 1
      const request = {
        ...ask(alice, `kms:${operation}`, context),
        encryptionContext,
        requestedGrant: grandchild,
      }
      if (!grantGives(grant({ ...child }), request)) return
      given += 1
      assert.ok(grantGives(wide, request))
    },
  )
  fc.assert(property, { seed: printedSeed('no child is wider'), numRuns: 100_000 })
  assert.ok(narrower > 1000 && given > 1000, `${narrower} made, ${given} gave`)
})

/** Slow and obvious: tries every encryption context over a few names and values. */
function allContexts(): Record<string, string>[] {
  let contexts: Record<string, string>[] = [{}]
  for (const name of ['a', 'b', 'c', 'A']) {
    contexts = contexts.flatMap((context) => [
      context,
      { ...context, [name]: '1' },
      { ...context, [name]: '2' },
    ])
  }
  return contexts
}

test('a grant that is called narrower holds for no encryption context that the other refuses', () => {
  const every = allContexts()
  const meets = (
    { EncryptionContextEquals, EncryptionContextSubset }: GrantConstraints,
    context: Record<string, string>,
  ): boolean => {
    const text = (some: object): string =>
      Object.entries(some)
        .map(([name, value]) => `${name}=${String(value)}`)
        .sort()
        .join()
    if (EncryptionContextEquals) return text(EncryptionContextEquals) === text(context)
    return text({ ...context, ...EncryptionContextSubset }) === text(context)
  }
  const property = fc.property(requested, requested, (child, parent) => {
    if (!isNarrower(child, parent)) return
    for (const context of every) {
      if (!meets(child.constraints ?? {}, context)) continue
      assert.ok(meets(parent.constraints ?? {}, context))
    }
  })
  fc.assert(property, { seed: printedSeed('narrower'), numRuns: 20_000 })
})

test('a constraint of no pairs binds nothing, so that a child without one is no wider', () => {
  const parent = { operations: ['Encrypt'], constraints: { EncryptionContextSubset: {} } }
  assert.equal(isNarrower({ operations: ['Encrypt'] }, parent), true)
  assert.equal(isNarrower({ operations: ['Decrypt'] }, parent), false)
  const bound = { operations: ['Encrypt'], constraints: { EncryptionContextSubset: { a: 'b' } } }
  assert.equal(isNarrower({ operations: ['Encrypt'] }, bound), false)
})
