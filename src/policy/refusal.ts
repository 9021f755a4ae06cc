/**
 * Renders a denial in AWS's words, with the decision's first reason. For a caller of another account it
 * names neither the resource nor what its owner's policy says.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * @module
 */
import { KmsError } from '../errors.ts'
import type { AuthorizationRequest, Decision, Reason } from './decision.ts'

export interface RefusalOptions {
  /** The caller's account is not the resource's. */
  readonly crossAccount: boolean
  /** AWS omits `on resource: …` for this permission. */
  readonly unnamedResource?: boolean
}

type Asked = Pick<AuthorizationRequest, 'caller' | 'action' | 'resource'>

const named: Readonly<Record<Exclude<Reason['policy'], 'grant'>, readonly [string, string]>> = {
  identity: ['an ', 'identity-based policy'],
  resource: ['a ', 'resource-based policy'],
  boundary: ['a ', 'permissions boundary'],
  session: ['a ', 'session policy'],
  'service-control': ['a ', 'service control policy'],
  'resource-control': ['a ', 'resource control policy'],
}

/** Policies of the resource's account, which other accounts must not learn about. */
const ownersWords: readonly (Reason['policy'] | undefined)[] = ['resource', 'resource-control']

/** The `AccessDeniedException` of a deny decision. */
export function accessDenied(decision: Decision, asked: Asked, options: RefusalOptions): KmsError {
  const [reason] = decision.reasons
  if (options.crossAccount && ownersWords.includes(reason?.policy)) {
    return unresolvableResource(asked.caller, asked.action)
  }
  return refused(
    `${opening(asked.caller, asked.action)}${where(asked, options)}${why(reason, asked)}`,
  )
}

/**
 * The error for another account's caller when a key does not exist, and when its policy does not allow.
 * It is the same, so that nobody learns which keys exist.
 */
export function unresolvableResource(caller: Asked['caller'], action: string): KmsError {
  return refused(
    `${opening(caller, action)} on this resource because the resource does not exist in this ` +
      'Region, no resource-based policies allow access, or a resource-based policy explicitly ' +
      'denies access',
  )
}

/** The error for a role that does not exist, and for one that the caller may not assume. */
export function roleRefused(caller: Asked['caller'], action: string, arn: string): KmsError {
  if (caller.kind === 'web-identity') return refused(`Not authorized to perform ${action}`)
  return refused(`${opening(caller, action)} on resource: ${arn}`)
}

/** The error for a ciphertext of an unknown key, and for a ciphertext of another account's key. */
export function ciphertextRefused(): KmsError {
  return refused(
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
      'region, or you are not allowed to access.',
  )
}

function opening(caller: Asked['caller'], action: string): string {
  return `User: ${caller.arn} is not authorized to perform: ${action}`
}

function where({ resource }: Asked, { crossAccount, unnamedResource }: RefusalOptions): string {
  if (unnamedResource === true) return ''
  return crossAccount ? ' on this resource' : ` on resource: ${resource.arn}`
}

/** The reason's text. Empty when authorization itself failed: the caller must not learn what broke. */
function why(reason: Reason | undefined, { action }: Asked): string {
  if (reason === undefined || reason.policy === 'grant' || reason.effect === 'allow') return ''
  const [article, policy] = named[reason.policy]
  return reason.effect === 'explicit-deny'
    ? ` with an explicit deny in ${article}${policy}`
    : ` because no ${policy} allows the ${action} action`
}

function refused(message: string): KmsError {
  return new KmsError('AccessDeniedException', message)
}
