/**
 * One condition of a statement: operator, quantifier, key and values, against a request's context.
 *
 * What cannot be decided — a value of the wrong type, a value or a list that is too long, a negated
 * test against a variable without a value — is decided against the caller: it does not fulfil an
 * Allow and does fulfil a Deny. A test without quantifier on a key of several values is the same
 * case: an Allow needs all of them, a Deny one.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
 * @module
 */
import { comparisonOf, type Comparison, type Test } from './comparisons.ts'
import type { Context } from './decision.ts'
import { operators, type Condition, type Effect, type PolicyVersion } from './document.ts'

/** Bounds on what one key of the request may hold for a condition to look at it. */
const charsMax = 16_384
const valuesMax = 1_000

export type Predicate = (context: Context) => boolean

/** Undefined when a value of the policy is not of the operator's type. */
export function compileCondition(
  condition: Condition,
  version: PolicyVersion,
  effect: Effect,
): Predicate | undefined {
  const comparisons: Comparison[] = []
  for (const value of condition.values) {
    const comparison = comparisonOf(condition.operator, value, version)
    if (comparison === undefined) return undefined
    comparisons.push(comparison)
  }
  const { family, negated } = operators[condition.operator]
  const { key, quantifier, ifExists } = condition
  if (family === 'null') return nullTest(key, comparisons)
  const missing = ifExists || (quantifier === 'one' ? negated : quantifier === 'all')
  const unsure = effect === 'Deny'
  const every = quantifier === 'all' || (quantifier === 'one' && effect === 'Allow')
  return (context) => {
    const values = context.get(key)
    if (values === undefined || values.length === 0) return missing
    if (isTooMuch(values)) return unsure
    const tests = comparisons.map((comparison) => comparison(context))
    const fulfils = (value: string): boolean => {
      const matched = matchesAny(tests, value, negated)
      return matched === undefined ? unsure : matched !== negated
    }
    return every ? values.every(fulfils) : values.some(fulfils)
  }
}

/** `Null: {key: true}` asks that the key be absent, `false` that it be there. */
function nullTest(key: string, comparisons: readonly Comparison[]): Predicate {
  return (context) => {
    const absent = String((context.get(key)?.length ?? 0) === 0)
    return comparisons.some((comparison) => comparison(context)(absent) === true)
  }
}

/** Whether the value matches one of the policy's; undefined when that cannot be said. */
function matchesAny(tests: readonly Test[], value: string, negated: boolean): boolean | undefined {
  let unsure = false
  for (const test of tests) {
    const verdict = test(value)
    if (verdict === true) return true
    if (verdict === 'unreadable' || (verdict === 'unresolved' && negated)) unsure = true
  }
  return unsure ? undefined : false
}

function isTooMuch(values: readonly string[]): boolean {
  if (values.length > valuesMax) return true
  let chars = 0
  for (const value of values) chars += value.length
  return chars > charsMax
}
