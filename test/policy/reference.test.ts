import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { authorize } from '../../src/policy/authorize.ts'
import { engineInput } from './engine-inputs.ts'
import { request } from './random-requests.ts'
import { referenceAllows, type PlainRequest } from './reference.ts'
import { printedSeed } from './seed.ts'

function engineAllows(plain: PlainRequest): boolean {
  const { request: asked, policies, grants } = engineInput(plain)
  const decision = authorize(asked, policies, grants)
  assert.deepEqual(decision.errors, [])
  assert.ok(decision.reasons.length > 0)
  return decision.decision === 'allow'
}

test('the engine and the slow evaluator agree on random policies and requests', () => {
  const runs = Number.parseInt(process.env['TRENT_TEST_RUNS'] ?? '200000', 10)
  const counts = { allowed: 0, denied: 0 }
  const property = fc.property(request, (plain) => {
    const expected = referenceAllows(plain)
    counts[expected ? 'allowed' : 'denied'] += 1
    assert.equal(engineAllows(plain), expected)
  })
  fc.assert(property, { seed: printedSeed('reference'), numRuns: runs })
  console.log(`reference: ${counts.allowed} allowed, ${counts.denied} denied`)
  // Agreement on denials alone would prove little.
  assert.ok(counts.allowed > runs / 20 && counts.denied > runs / 20)
})
