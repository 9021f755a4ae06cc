/**
 * The names by which a policy or a grant can mean a caller, and how closely each name means it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @module
 */
import type { Caller, CallerKind } from '../model/caller.ts'
import type { CallingService } from '../model/service.ts'
import { parseArn } from '../model/arn.ts'
import type { CompiledPrincipals } from './compile.ts'
import type { Grant } from './decision.ts'
import type { Effect } from './document.ts'

/**
 * How closely a name means the caller.
 * - `session`: the caller itself (a user, a session, everyone). Boundaries and session policies do not
 *   limit it.
 * - `role`: the role or the user behind the session. Boundaries and session policies limit it.
 * - `account`: the caller's account, which delegates to the caller's identity policies.
 */
export type Closeness = 'session' | 'role' | 'account'

interface Name {
  readonly arn: string
  readonly uniqueId: string
  readonly closeness: Exclude<Closeness, 'account'>
}

/** The caller's names except its account. A root user has no others. */
function namesOf(caller: Caller): readonly Name[] {
  const { arn, uniqueId } = caller
  if (caller.kind === 'user') return [{ arn, uniqueId, closeness: 'session' }]
  if (caller.kind === 'federated-user') {
    const session: Name = { arn, uniqueId, closeness: 'session' }
    const { issuer } = caller
    return issuer?.type === 'IAMUser'
      ? [session, { arn: issuer.arn, uniqueId: issuer.principalId, closeness: 'role' }]
      : [session]
  }
  // No policy names its ARN. Only grants name it, by its unique id.
  if (caller.kind === 'infrastructure') return [{ arn: uniqueId, uniqueId, closeness: 'session' }]
  if (caller.kind !== 'assumed-role') return []
  const [roleId = ''] = uniqueId.split(':')
  const session: Name = { arn, uniqueId, closeness: 'session' }
  const role = roleArnOf(caller)
  return role === undefined
    ? [session]
    : [session, { arn: role, uniqueId: roleId, closeness: 'role' }]
}

/** The ARN of the role behind a session. */
export function roleArnOf(caller: Caller): string | undefined {
  if (caller.kind !== 'assumed-role' && caller.kind !== 'infrastructure') return undefined
  if (caller.roleArn !== undefined) return caller.roleArn
  const arn = parseArn(caller.arn)
  const [, name] = arn?.resource.split('/') ?? []
  if (arn === undefined || name === undefined) return undefined
  return `arn:${arn.partition}:iam::${arn.accountId}:role/${name}`
}

/** By the unique ids of one policy. Each of its statements asks for the same caller. */
const arnsById = new WeakMap<object, ReadonlyMap<string, readonly string[]>>()

/** The ARNs that a principal had when the policy was written. */
function arnsOf(uniqueId: string, uniqueIds: Readonly<Record<string, string>>): readonly string[] {
  const known = arnsById.get(uniqueIds)
  if (known !== undefined) return known.get(uniqueId) ?? []
  const arns = new Map<string, string[]>()
  for (const [arn, id] of Object.entries(uniqueIds)) {
    arns.set(id, [...(arns.get(id) ?? []), arn])
  }
  arnsById.set(uniqueIds, arns)
  return arns.get(uniqueId) ?? []
}

/**
 * Callers that no Allow statement means, whatever its principals are. Only grants allow infrastructure,
 * and operators and the test API use no keys. A Deny still means them.
 * @see docs/callers.md
 */
const neverAllowed: ReadonlySet<CallerKind> = new Set(['infrastructure', 'operator', 'test'])

/** Facts about a policy's principals and the caller, apart from their names. */
export interface PrincipalFacts {
  /** Unique ids of the policy's principals, by ARN. */
  readonly uniqueIds?: Readonly<Record<string, string>> | undefined
  /** Whether the caller has a permissions boundary. */
  readonly bounded?: boolean
}

/** How closely a statement of a key policy means the caller; undefined when it does not. */
export function meansCaller(
  principals: CompiledPrincipals,
  caller: Caller,
  { uniqueIds = {}, bounded = false }: PrincipalFacts,
  effect: Effect,
): Closeness | undefined {
  if (effect === 'Allow' && neverAllowed.has(caller.kind)) return undefined
  // At AWS, NotPrincipal exempts no principal with a permissions boundary, whatever it lists.
  if (principals.negated && bounded) return 'session'
  if (caller.kind === 'web-identity') return meansIdentity(principals, caller, effect)
  if (caller.service !== undefined) return meansService(principals, caller.service)
  const account = principals.accounts.has(caller.accountId)
  const named = (name: Name): boolean => {
    // Only users can be renamed. A policy that names a user's old name still means that user.
    const renamed = name.uniqueId.startsWith('AIDA') ? arnsOf(name.uniqueId, uniqueIds) : []
    if (renamed.some((arn) => principals.arns.has(arn))) return true
    if (!principals.arns.has(name.arn)) return false
    if (Object.hasOwn(uniqueIds, name.arn)) return uniqueIds[name.arn] === name.uniqueId
    // The principal of this ARN is unknown. That is enough for a Deny, but never for an Allow or an
    // exemption.
    return effect === 'Deny' && !principals.negated
  }
  if (principals.everyone) return principals.negated ? undefined : 'session'
  const names = namesOf(caller)
  // A caller is exempt only under all of its names. Otherwise its account or its role is still denied.
  if (principals.negated) return account && names.every(named) ? undefined : 'session'
  return names.find(named)?.closeness ?? (account ? 'account' : undefined)
}

/** Only the name of its provider allows a web identity. `*` or the account is not enough. */
function meansIdentity(
  { negated, everyone, federated }: CompiledPrincipals,
  { arn }: Caller,
  effect: Effect,
): Closeness | undefined {
  const named = federated.has(arn) || (everyone && effect === 'Deny')
  return named !== negated ? 'session' : undefined
}

/** Matches a service by its principal, with or without its Region. */
function meansService(
  { everyone, services, negated }: CompiledPrincipals,
  { name, regionalName }: CallingService,
): Closeness | undefined {
  const named = everyone || services.has(name) || services.has(regionalName)
  return named === negated ? undefined : 'session'
}

/** A name by which a grant can mean a caller. */
export interface GrantName {
  /** An ARN, an infrastructure principal, or the principal of a service. */
  readonly grantee: string
  /** The unique id that the grant must hold; empty for a service. */
  readonly granteeId: string
}

export function grantNamesOf(caller: Caller, partition: string): readonly GrantName[] {
  const { service, accountId } = caller
  if (service !== undefined) {
    return [service.name, service.regionalName].map((grantee) => ({ grantee, granteeId: '' }))
  }
  const names = namesOf(caller).map(({ arn, uniqueId }) => ({ grantee: arn, granteeId: uniqueId }))
  if (caller.kind === 'infrastructure') return names
  const account = `arn:${partition}:iam::${accountId}:root`
  return [...names, { grantee: account, granteeId: accountId }]
}

/** Whether the calling service is a grant's grantee, by either member of CreateGrant. */
export function isGranteeService(
  caller: Caller,
  { granteePrincipal, granteeServicePrincipal = granteePrincipal }: Grant,
): boolean {
  return isService(caller, granteeServicePrincipal)
}

/** Whether the calling service is a grant's retiring principal, by either member. */
export function isRetiringService(
  caller: Caller,
  { retiringPrincipal, retiringServicePrincipal = retiringPrincipal }: Grant,
): boolean {
  return isService(caller, retiringServicePrincipal)
}

function isService({ service }: Caller, principal: string | undefined): boolean {
  return service !== undefined && (principal === service.name || principal === service.regionalName)
}

/** How closely a principal of a grant is the caller; undefined when it is not. */
export type PrincipalTest = (
  principal: string | undefined,
  uniqueId: string | undefined,
) => Closeness | undefined

/** Makes a test of how closely a grant's grantee or retiring principal is the caller. */
export function principalTest(caller: Caller): PrincipalTest {
  const names = namesOf(caller)
  // A grant to an account is a grant to its users and roles.
  const inAccount = caller.kind !== 'web-identity' && !neverAllowed.has(caller.kind)
  const accountRoot = `:iam::${caller.accountId}:root`
  // Many grants share one grantee, so each ARN is parsed once.
  const accounts = new Map<string, Closeness | undefined>()
  return (principal, uniqueId) => {
    if (principal === undefined) return undefined
    const name = names.find(({ arn }) => arn === principal)
    if (name !== undefined) {
      return uniqueId === undefined || uniqueId === name.uniqueId ? name.closeness : undefined
    }
    if (!inAccount || !principal.endsWith(accountRoot)) return undefined
    if (!accounts.has(principal)) {
      const arn = parseArn(principal)
      const own = arn?.service === 'iam' && arn.accountId === caller.accountId
      accounts.set(principal, own ? 'account' : undefined)
    }
    return accounts.get(principal)
  }
}
