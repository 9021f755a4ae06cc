/**
 * One condition of a statement: operator, set operator, key and values, evaluated against a request's
 * context.
 *
 * A condition that cannot be decided goes against the caller: it fails in an Allow and holds in a Deny.
 * The causes are a value of the wrong type, a value or a list that is too long, a policy variable with
 * several values, and an operator without a set operator on a key with several values. AWS requires a
 * set operator there, and does not document what happens without one.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
 * @see
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 * @module
 */
import { comparisonOf, type Comparison } from './comparisons.ts'
import { operators, type Condition, type PolicyLanguageVersion } from './document.ts'
import { every, not, some, type Verdict } from './undecided.ts'
import { spend, type Work } from './work.ts'
import type { Context } from './context-values.ts'

/** Limits on the values of one condition key. Beyond them a condition is undecided. */
const charsMax = 16_384
const valuesMax = 1_000

/** Steps of a condition, in addition to its comparisons. */
const conditionSteps = 32

/** @throws {WorkSpent} */
export type Predicate = (context: Context, work: Work) => Verdict

/** Compiles a condition; undefined when a value of the policy does not have the operator's type. */
export function compileCondition(
  condition: Condition,
  version: PolicyLanguageVersion,
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
  return (context, work) => {
    spend(work, conditionSteps)
    const values = context.get(key)
    if (values === undefined || values.length === 0) return missing
    // For `ForAllValues`, a single empty string is a list without values.
    if (quantifier === 'all' && values.length === 1 && values[0] === '') return true
    if (isTooMuch(values)) return 'value'
    if (quantifier === 'one' && values.length > 1) return 'several-values'
    spend(work, values.length)
    const tests = comparisons.map((comparison) => comparison(context, work))
    const fulfils = (value: string): Verdict => {
      const matched = some(tests, (test) => test(value, work))
      return negated ? not(matched) : matched
    }
    return quantifier === 'all' ? every(values, fulfils) : some(values, fulfils)
  }
}

/** `Null: {key: true}` requires that the key is absent, `false` that it is present. */
function nullTest(key: string, comparisons: readonly Comparison[]): Predicate {
  return (context, work) => {
    spend(work, conditionSteps)
    const absent = String((context.get(key)?.length ?? 0) === 0)
    return some(comparisons, (comparison) => comparison(context, work)(absent, work))
  }
}

function isTooMuch(values: readonly string[]): boolean {
  if (values.length > valuesMax) return true
  let chars = 0
  for (const value of values) chars += value.length
  return chars > charsMax
}
