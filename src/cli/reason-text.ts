/** How reasons and policies read to a person. @module */
import type { Reason } from '../authorize/decision.ts'
import type { PolicyPlace } from '../authorize/policy-edits.ts'

const names: Readonly<Record<Reason['policy'], string>> = {
  identity: 'identity policies',
  resource: 'key policy',
  boundary: 'permissions boundary',
  session: 'session policies',
  grant: 'grant',
  'service-control': 'service control policies',
  'resource-control': 'resource control policies',
}

export function reasonText({ effect, policy, statement, source }: Reason): string {
  const name = names[policy]
  if (policy === 'grant') return `grant ${statement ?? ''} gives it`
  const of = source === undefined ? `the ${name}` : `the ${name}, ${source}`
  if (effect === 'implicit-deny') return `nothing in the ${name} allows it`
  if (statement === undefined) return 'the root user has every permission in its account'
  return `statement ${statement} of ${of} ${effect === 'allow' ? 'allows' : 'denies'} it`
}

export function placeText({ policy, source, index, level }: PolicyPlace): string {
  if (source !== undefined) return `the ${names[policy]}, ${source}`
  if (index === undefined) return `the ${names[policy]} (a new one, or one that there is)`
  if (level !== undefined) return `the ${names[policy]}, level ${level + 1}, policy ${index + 1}`
  return policy === 'resource' || policy === 'boundary'
    ? `the ${names[policy]}`
    : `the ${names[policy]}, policy ${index + 1}`
}
