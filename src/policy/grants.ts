/**
 * Evaluates one grant for one request. It is pure and allow-only: a grant that does not apply has no
 * effect.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 * @see
 *   https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-constraints
 * @module
 */
import type { GrantConstraints } from '../model/grant.ts'
import type { AuthorizationRequest, Grant, RequestedGrant } from './decision.ts'

type Pairs = Readonly<Record<string, string>>

/** Actions without an encryption context. Constraints on it do not apply to them. */
const withoutContext: ReadonlySet<string> = new Set(['kms:DescribeKey', 'kms:RetireGrant'])

/** Whether the grant allows the request's action within its constraints. It does not check the caller. */
export function grantGives(grant: Grant, request: AuthorizationRequest): boolean {
  const { action } = request
  if (!action.startsWith('kms:') || !grant.operations.includes(action.slice('kms:'.length)))
    return false
  if (action === 'kms:CreateGrant') {
    const { requestedGrant } = request
    if (requestedGrant === undefined || !isNarrower(requestedGrant, grant)) return false
  }
  return grant.constraints === undefined || constraintsHold(grant.constraints, request)
}

function constraintsHold(constraints: GrantConstraints, request: AuthorizationRequest): boolean {
  const { action, context, encryptionContext = {} } = request
  const {
    EncryptionContextEquals: equals,
    EncryptionContextSubset: subset,
    SourceArn,
  } = constraints
  if (SourceArn !== undefined && action !== 'kms:RetireGrant') {
    const sources = context.get('aws:sourcearn') ?? []
    if (sources.length !== 1 || sources[0] !== SourceArn) return false
  }
  // A new grant's constraints are compared with this grant's elsewhere. There is no encryption context
  // yet.
  if (withoutContext.has(action) || action === 'kms:CreateGrant') return true
  if (equals !== undefined && !samePairs(equals, encryptionContext)) return false
  return subset === undefined || hasPairs(encryptionContext, subset)
}

/** Whether `child` allows nothing beyond `parent`. */
export function isNarrower(child: RequestedGrant, parent: RequestedGrant): boolean {
  if (!child.operations.every((operation) => parent.operations.includes(operation))) return false
  const { EncryptionContextEquals, EncryptionContextSubset, SourceArn } = parent.constraints ?? {}
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } =
    child.constraints ?? {}
  if (SourceArn !== undefined && child.constraints?.SourceArn !== SourceArn) return false
  if (EncryptionContextEquals !== undefined) {
    return equals !== undefined && samePairs(equals, EncryptionContextEquals)
  }
  if (EncryptionContextSubset === undefined) return true
  // Either constraint guarantees that a context has all pairs of the constraint.
  return hasPairs(equals ?? subset ?? {}, EncryptionContextSubset)
}

/** Compares names and values exactly, like the context bound to a ciphertext. */
function hasPairs(context: Pairs, wanted: Pairs): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(context, name) && context[name] === value,
  )
}

function samePairs(one: Pairs, other: Pairs): boolean {
  return Object.keys(one).length === Object.keys(other).length && hasPairs(one, other)
}
