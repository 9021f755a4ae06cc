/**
 * Reads the `Condition` block of a statement.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
 * @module
 */
import { comparisonOf } from './comparisons.ts'
import { findOperator, type Condition, type Effect, type Quantifier } from './document.ts'
import { members, refuse, spend, type Reading } from './reading.ts'
import { countVariables, parseTemplate } from './template.ts'

type Named = Pick<Condition, 'operator' | 'quantifier' | 'ifExists'>

const prefixes: readonly (readonly [string, Quantifier])[] = [
  ['ForAllValues:', 'all'],
  ['ForAnyValue:', 'any'],
]
const suffix = 'IfExists'

/** `ForAllValues` is true for a request without the key, so these would allow what they should limit. */
const overlyPermissive = ['kms:encryptioncontext:', 'aws:requesttag/']

export function readConditions(
  value: unknown,
  at: string,
  effect: Effect,
  reading: Reading,
): readonly Condition[] {
  if (value === undefined) return []
  return [...members(value, at)].flatMap(([name, block]) => {
    const named = readOperator(name) ?? refuse(at, 'it holds an operator that is not known')
    const keys = members(block, at)
    spend(reading, 'conditions', keys.size)
    if (keys.size === 0) refuse(at, 'an operator has no condition key')
    return [...keys].map(([key, values]): Condition => {
      const condition = { ...named, key: readKey(key, at), values: readValues(values, at, reading) }
      requireTypes(condition, at, reading)
      spend(reading, 'policy variables', variablesIn(condition, reading))
      requireBounded(condition, at, effect, reading)
      return condition
    })
  })
}

/** Splits `ForAnyValue:StringLikeIfExists` into its three parts. */
function readOperator(name: string): Named | undefined {
  const [prefix, quantifier] = prefixes.find(([each]) => name.startsWith(each)) ?? ['', 'one']
  const bare = name.slice(prefix.length)
  const ifExists = bare.endsWith(suffix)
  const operator = findOperator(ifExists ? bare.slice(0, -suffix.length) : bare)
  if (operator === undefined) return undefined
  // `Null` tests existence itself.
  if (operator === 'Null' && (ifExists || quantifier !== 'one')) return undefined
  return { operator, quantifier, ifExists }
}

function readKey(key: string, at: string): string {
  if (!/^[^:]+:./.test(key)) refuse(at, 'a condition key has no service prefix')
  return key.toLowerCase()
}

/** Strings, numbers and booleans, alone or in a list that is not empty. */
function readValues(value: unknown, at: string, reading: Reading): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  spend(reading, 'condition values', items.length)
  if (items.length === 0) refuse(at, 'a condition key has no value')
  return items.map((item) => {
    if (typeof item === 'string') return item
    if (typeof item === 'boolean' || Number.isFinite(item)) return String(item)
    return refuse(at, 'a condition value is neither text, a number nor a boolean')
  })
}

function requireTypes({ operator, values }: Condition, at: string, { version }: Reading): void {
  if (values.some((value) => comparisonOf(operator, value, version) === undefined)) {
    refuse(at, `a condition value does not suit ${operator}`)
  }
}

/** Counts variables as the string and ARN operators read them. The types of other operators refuse `${`. */
function variablesIn({ values }: Condition, { version }: Reading): number {
  const rules = { variables: version === '2012-10-17', wildcards: false }
  const counts = values.map((value) => countVariables(parseTemplate(value, rules) ?? []))
  return counts.reduce((sum, count) => sum + count, 0)
}

function requireBounded(
  { quantifier, key }: Condition,
  at: string,
  effect: Effect,
  { kind }: Reading,
): void {
  if (kind !== 'key' || effect !== 'Allow' || quantifier !== 'all') return
  if (overlyPermissive.some((prefix) => key.startsWith(prefix))) {
    refuse(at, 'OverlyPermissiveCondition')
  }
}
