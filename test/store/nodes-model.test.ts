/** The rules by which a node may decide, under thousands of interleavings. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  assert as holds,
  check,
  constant,
  integer,
  oneof,
  property,
  record,
} from 'fast-check'
import { rightRules, violation, type Rules, type Step } from './nodes-model.ts'

const node = integer({ min: 0, max: 1 })
const on = <const K extends string>(kind: K) => record({ kind: constant(kind), node })
const of = <const K extends string>(kind: K) => constant({ kind })

const step = oneof(
  {
    weight: 4,
    arbitrary: record({ kind: constant('pass' as const), ms: integer({ min: 500, max: 4000 }) }),
  },
  { weight: 4, arbitrary: of('begin') },
  {
    weight: 4,
    arbitrary: record({ kind: constant('commit' as const), which: integer({ min: 0, max: 3 }) }),
  },
  { weight: 1, arbitrary: on('notify') },
  { weight: 2, arbitrary: on('send') },
  { weight: 2, arbitrary: on('execute') },
  { weight: 2, arbitrary: on('deliver') },
  { weight: 8, arbitrary: on('confirm') },
  { weight: 1, arbitrary: of('depose') },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('promote short' as const),
      by: integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: on('reconnect') },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('suspend' as const),
      node,
      ms: integer({ min: 1, max: 60_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('set clock' as const),
      node,
      ms: integer({ min: -60_000, max: 60_000 }),
    }),
  },
  { weight: 6, arbitrary: on('call') },
)
const steps = array(step, { minLength: 10, maxLength: 120 }) as ReturnType<typeof array<Step>>

/** The same in each run: a failure can be looked at again. */
const seed = 20_261_130

test('no call is decided by a state older than the bound, whatever happens', () => {
  holds(
    property(steps, (all) => assert.equal(violation(all, rightRules), undefined)),
    { seed, numRuns: 100_000 },
  )
})

const mutations: Readonly<Record<string, Partial<Rules>>> = {
  'read instead of committing write': { commitsWrite: false },
  'sequence instead of head row': { numbersAtCommit: false },
  'number without id': { comparesIds: false },
  'monotonic clock alone': { comparesWallClock: false },
}

for (const [name, wrong] of Object.entries(mutations)) {
  test(`the model finds what goes wrong with: ${name}`, () => {
    const rules = { ...rightRules, ...wrong }
    const outcome = check(
      property(steps, (all) => violation(all, rules) === undefined),
      { seed, numRuns: 400_000, endOnFailure: true },
    )
    assert.ok(outcome.failed, 'nothing was found')
  })
}
