import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { Grant, Policies } from '../../src/policy/decision.ts'
import { allowsAll, ask, onKey, root, user } from './given.ts'
import { printedSeed } from './seed.ts'

/** JSON that nearly is a policy: its words in any place. */
const words =
  'Version Statement Effect Allow Principal AWS * Action kms:* Resource Condition 2012-10-17 ' +
  '__proto__ constructor StringEquals Sid'
const word = fc.constantFrom(...words.split(' '))
const nearPolicy = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    word,
    fc.anything({ maxDepth: 1 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
})).value

test('arbitrary text and arbitrary JSON compile to a policy that allows nothing', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.json(),
    nearPolicy.map(
      (value) =>
        JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? 0 : each)) ?? '',
    ),
  )
  const property = fc.property(text, (policy) => {
    for (const caller of [root(), user('alice')]) {
      const compiled = compilePolicy(policy, 'key')
      const asKey = authorize(ask(caller), onKey(compiled, { identity: [allowsAll] }), [])
      assert.equal(asKey.decision, 'deny')
      const asIdentity = { identityOnly: true, identity: [compilePolicy(policy, 'identity')] }
      assert.equal(authorize(ask(user('alice')), asIdentity, []).decision, 'deny')
    }
  })
  fc.assert(property, { seed: printedSeed('garbage'), numRuns: 5_000 })
})

test('a policy with any one character changed never throws, and never allows more than it did', () => {
  const statement = { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const property = fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 2 }), (at, put) => {
    const changed = text.slice(0, at) + put + text.slice(at + 1)
    const decision = authorize(ask(user('alice')), onKey(compilePolicy(changed, 'key')), [])
    assert.equal(decision.decision, 'deny')
  })
  fc.assert(property, { seed: printedSeed('changed'), numRuns: 5_000 })
})

test('requests, policies and grants that are no such thing are denied, not thrown', () => {
  const property = fc.property(
    fc.anything(),
    fc.anything(),
    fc.anything(),
    (request, policies, grants) => {
      // As if a bug upstream had built them: the types say that this cannot be.
      const decision = authorize(request as never, policies as Policies, grants as readonly Grant[])
      assert.equal(decision.decision, 'deny')
    },
  )
  fc.assert(property, { seed: printedSeed('no such thing'), numRuns: 5_000 })
})

test('what throws on the way denies, and its detail is for the log alone', () => {
  const thrower = (thrown: unknown): Policies =>
    onKey({
      statements: [
        {
          label: 'x',
          effect: 'Allow',
          coversAction: () => {
            throw thrown
          },
          coversResource: () => true,
          holds: () => true,
        },
      ],
    })
  for (const thrown of [new Error('detail'), 'text', null, { toString: null }]) {
    const decision = authorize(ask(root()), thrower(thrown), [])
    assert.equal(decision.decision, 'deny')
    assert.deepEqual(decision.reasons, [])
    assert.match(decision.errors[0] ?? '', /^authorization failed: /)
  }
})
