/**
 * Checks the form of a statement in a role's trust policy, with AWS's refusals in AWS's order.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-custom.html
 * @module
 */
import { PolicyFaultFound } from './malformed.ts'

type Given = ReadonlyMap<string, unknown>

/** Checks which elements are present. Their values are read as in every policy. */
export function requireTrustForm(given: Given): void {
  if (!given.has('Effect')) refuse('Missing required field Effect')
  if (given.has('NotPrincipal')) {
    if (given.get('Effect') === 'Allow') refuse('Allow with NotPrincipal is not allowed.')
    refuse('AssumeRole policy must not contain NotPrincipal field.')
  }
  requirePrincipal(given)
  requireActions(given)
  if (given.has('Resource')) refuse('Has prohibited field Resource')
  if (given.has('NotResource')) refuse('AssumeRole policy must not contain resources.')
}

const cognito = 'cognito-identity.amazonaws.com'

function requirePrincipal(given: Given): void {
  const principal = given.get('Principal')
  if (principal === undefined) refuse('Missing required field Principal')
  // Even a bare star, which does not mean `{"AWS": "*"}` here.
  if (typeof principal === 'string') refuse('Principal must be a JSON object.')
  if (typeof principal !== 'object' || principal === null) return // the reader refuses it
  const entries = Object.entries(principal)
  if (entries.length === 0) refuse('Missing required field Principal cannot be empty!')
  const federated = entries.flatMap(([type, names]: [string, unknown]) =>
    type === 'Federated' ? listOf(names) : [],
  )
  // Without a condition, any Cognito user could assume the role: all identity pools share this provider.
  if (federated.includes(cognito) && !given.has('Condition')) {
    refuse('A condition block must be present for the Cognito provider')
  }
}

function requireActions(given: Given): void {
  const actions = [...listOf(given.get('Action')), ...listOf(given.get('NotAction'))]
  if (actions.length === 0) refuse('Missing required field Action')
  const isSts = (action: unknown): boolean =>
    typeof action === 'string' && action.toLowerCase().startsWith('sts:')
  if (!actions.every(isSts)) {
    refuse('AssumeRole policy may only specify STS AssumeRole actions.')
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function refuse(says: string): never {
  throw new PolicyFaultFound({ kind: 'trust', says })
}
