/** The identity side of a decision: the policies of the caller's own account for the caller. @module */
import { compilePolicy, type CompiledPolicy } from '../policy/compile.ts'
import { internalPolicy, servicePolicy } from '../policy/internal-policies.ts'
import { allOf, andThen, type Awaitable } from '../model/awaitable.ts'
import { roleIdOf, type Caller, type WebIdentityCaller } from '../model/caller.ts'
import type { Session } from '../model/session.ts'
import type { ContextEntries } from '../operations/contract/call.ts'
import type { CachedRole, CachedUser, Identity, Lookup } from '../cache/cached-records.ts'
import { tagEntries } from '../cache/cached-identities.ts'

export const nothing: Identity = { policies: [], entries: {} }

export const internal: Identity = { policies: [internalPolicy], entries: {} }

export const service: Identity = { policies: [servicePolicy], entries: {} }

/** A federated user of a root user has the root user's permissions, limited by its session's policies. */
export const everything = compilePolicy(
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
  'identity',
)

/** Denies, because a policy that cannot be read may hold a Deny. */
export const lost = (what: string): CompiledPolicy => ({
  broken: `${what} is gone`,
  statements: [],
})

export type IdentityLookup = Pick<Lookup, 'user' | 'role' | 'group' | 'managedPolicy'>

/**
 * The policies and condition keys of a caller. A root user needs no policy: its identity side allows
 * everything in its own account.
 */
export function identityOf(caller: Caller, lookup: IdentityLookup): Awaitable<Identity> {
  if (caller.kind === 'operator' || caller.kind === 'test') return internal
  if (caller.kind === 'service') return service
  // Only grants allow infrastructure.
  if (caller.kind === 'root' || caller.kind === 'infrastructure') return nothing
  if (caller.webIdentity !== undefined)
    return { policies: [], entries: claimEntries(caller.webIdentity) }
  if (caller.kind === 'user')
    return identityBehind('the user', lookup.user(caller.uniqueId), lookup)
  return identityOfSession(caller, lookup)
}

/** The claims of a verified token, as condition keys of the call that presents it. */
export function claimEntries({
  provider,
  claims,
  tags,
  ...rest
}: WebIdentityCaller): ContextEntries {
  const { transitiveTagKeys, sourceIdentity } = rest
  const named = Object.entries(claims).map(([claim, value]) => [`${provider}:${claim}`, value])
  return {
    ...(Object.fromEntries(named) as ContextEntries),
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    ...(tags.length > 0 && { 'aws:TagKeys': tags.map(({ Key }) => Key) }),
    ...(transitiveTagKeys.length > 0 && { 'sts:TransitiveTagKeys': transitiveTagKeys }),
    'sts:SourceIdentity': sourceIdentity,
  }
}

export function identityOfSession(caller: Caller, lookup: IdentityLookup): Awaitable<Identity> {
  const { session, issuer } = caller
  const behind =
    caller.kind === 'assumed-role'
      ? identityBehind('the role', lookup.role(roleIdOf(caller)), lookup)
      : issuer?.type === 'Root'
        ? { policies: [everything], entries: {} }
        : identityBehind('the user', lookup.user(issuer?.principalId ?? ''), lookup)
  if (session === undefined) return behind
  return andThen(behind, (identity) =>
    andThen(managedPolicies(session.policyIds, lookup), (managed) =>
      limitedBy(session, managed, identity),
    ),
  )
}

function limitedBy(
  session: Session,
  managed: readonly CompiledPolicy[],
  behind: Identity,
): Identity {
  const { policy, kind } = session
  const limits = policy === undefined ? managed : [...managed, compiledOnce(session, policy)]
  // A federated user without session policies has none of its user's permissions.
  const limited = limits.length > 0 || kind === 'federated'
  return {
    ...behind,
    entries: {
      ...overlaid(behind.entries, tagEntries('aws:PrincipalTag', session)),
      ...provenEntries(session),
    },
    ...(limited && { session: limits }),
  }
}

/** The parts of the token that stay condition keys of the session. */
export function provenEntries({ webIdentity }: Session): ContextEntries {
  if (webIdentity === undefined) return {}
  const { provider, audience, subject, methods } = webIdentity
  return {
    [`${provider}:aud`]: audience,
    [`${provider}:sub`]: subject,
    ...(methods.length > 0 && { [`${provider}:amr`]: methods }),
  }
}

/**
 * Adds a session's tags to its role's. A session tag hides a role tag that differs only in case: both
 * are one condition key.
 */
export function overlaid(entries: ContextEntries, own: ContextEntries): ContextEntries {
  const hidden = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  const left = Object.entries(entries).filter(([name]) => !hidden.has(name.toLowerCase()))
  return { ...Object.fromEntries(left), ...own }
}

export const sessionPolicies = new WeakMap<Session, CompiledPolicy>()

/** Compiled policies by session. A session's object stays the same while its token is cached. */
export function compiledOnce(session: Session, policy: string): CompiledPolicy {
  const known = sessionPolicies.get(session)
  if (known !== undefined) return known
  const compiled = compilePolicy(policy, 'identity')
  sessionPolicies.set(session, compiled)
  return compiled
}

export function identityBehind(
  what: string,
  found: Awaitable<CachedUser | CachedRole | undefined>,
  lookup: Pick<Lookup, 'group' | 'managedPolicy'>,
): Awaitable<Identity> {
  return andThen(found, (known): Awaitable<Identity> => {
    // The identity was deleted during the call. None of its permissions hold any more.
    if (known === undefined) return { policies: [lost(what)], entries: {} }
    const { policies, entries, record } = known
    const { attachedPolicies, permissionsBoundary } = record
    const groups = 'groups' in record ? record.groups : []
    if (attachedPolicies.length + groups.length === 0 && permissionsBoundary === undefined) {
      return { policies, entries }
    }
    const bounds = permissionsBoundary === undefined ? [] : [permissionsBoundary]
    const lists = [
      managedPolicies(attachedPolicies, lookup),
      ...groups.map((groupId) => policiesOfGroup(groupId, lookup)),
    ]
    return andThen(allOf(lists), (shared) =>
      andThen(managedPolicies(bounds, lookup), ([boundary]) => ({
        policies: [...policies, ...shared.flat()],
        entries,
        ...(boundary && { boundary }),
      })),
    )
  })
}

/** The policies that a group gives its members. */
export function policiesOfGroup(
  groupId: string,
  lookup: Pick<Lookup, 'group' | 'managedPolicy'>,
): Awaitable<readonly CompiledPolicy[]> {
  return andThen(lookup.group(groupId), (group): Awaitable<readonly CompiledPolicy[]> => {
    if (group === undefined) return [lost(`the group ${groupId}`)]
    const attached = managedPolicies(group.record.attachedPolicies, lookup)
    return andThen(attached, (policies) => [...group.policies, ...policies])
  })
}

/** The managed policies of these ids. A deleted policy denies. */
export function managedPolicies(
  policyIds: readonly string[],
  lookup: Pick<Lookup, 'managedPolicy'>,
): Awaitable<readonly CompiledPolicy[]> {
  const policies = policyIds.map((policyId) =>
    andThen(
      lookup.managedPolicy(policyId),
      (managed) => managed?.policy ?? lost(`the managed policy ${policyId}`),
    ),
  )
  return allOf(policies)
}
