/** Text of reasons and policies for people. @module */
import type { Reason } from '../policy/decision.ts'
import type { PolicyPlace } from '../policy/explain/policy-edits.ts'

const names: Readonly<Record<Reason['policy'], string>> = {
  identity: 'identity policies',
  resource: 'key policy',
  boundary: 'permissions boundary',
  session: 'session policies',
  grant: 'grant',
  'service-control': 'service control policies',
  'resource-control': 'resource control policies',
}

/** Why a statement is undecided, with what its author can do. */
const whyUndecided: Readonly<Record<NonNullable<Reason['undecided']>, string>> = {
  work: 'its patterns and the values of the call take too much work to compare',
  'several-values':
    'the condition key has several values: add the set operator ForAnyValue: or ForAllValues:',
  value: 'a value of the call is of another type than its operator, or too long',
}

export function reasonText({ effect, policy, statement, source, undecided }: Reason): string {
  const name = names[policy]
  if (policy === 'grant') return `grant ${statement ?? ''} gives it`
  const of = source === undefined ? `the ${name}` : `the ${name}, ${source}`
  if (undecided !== undefined) {
    const label = statement === undefined ? of : `statement ${statement} of ${of}`
    const outcome = effect === 'explicit-deny' ? 'denies it' : 'does not allow it'
    return `${label} ${outcome}, because it cannot be decided: ${whyUndecided[undecided]}`
  }
  if (effect === 'implicit-deny') return `nothing in the ${name} allows it`
  if (statement === undefined) return 'the root user has every permission in its account'
  return `statement ${statement} of ${of} ${effect === 'allow' ? 'allows' : 'denies'} it`
}

export function placeText({ policy, source, index, level }: PolicyPlace): string {
  if (source !== undefined) return `the ${names[policy]}, ${source}`
  if (index === undefined) return `the ${names[policy]} (a new or an existing one)`
  if (level !== undefined) return `the ${names[policy]}, level ${level + 1}, policy ${index + 1}`
  return policy === 'resource' || policy === 'boundary'
    ? `the ${names[policy]}`
    : `the ${names[policy]}, policy ${index + 1}`
}
