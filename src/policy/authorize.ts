/**
 * Decides one request. Explicit denies come first, then the rules of the caller's account. In the key's
 * own account, the key policy allows by itself or delegates to identity policies. A caller of another
 * account needs both sides. A grant can replace the key policy. In every case, the organisation of the
 * caller's account must allow as well.
 *
 * INVARIANT (fail closed): when anything is broken, missing or thrown, the decision is deny.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 * @module
 */
import {
  isGranteeService,
  isRetiringService,
  principalTest,
  type Closeness,
} from './caller-names.ts'
import type { CompiledPolicy } from './compile.ts'
import type { AuthorizationRequest, Decision, Grant, Policies, Reason } from './decision.ts'
import { findIn, type Findings } from './findings.ts'
import { denyOf, undecidedIn, type PolicyFindings, type PolicyName } from './found.ts'
import { grantGives } from './grants.ts'
import { controlledBy, serviceControlGap, type Controls } from './organization-limits.ts'
import { newWork } from './work.ts'

/** Actions that another account's caller can be allowed. All others fail even when a policy allows them. */
const crossAccountActions: ReadonlySet<string> = new Set(
  (
    'Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext ' +
    'GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext Sign Verify GenerateMac VerifyMac ' +
    'DeriveSharedSecret Encapsulate Decapsulate GetPublicKey DescribeKey GetKeyRotationStatus ' +
    'CreateGrant ListGrants RetireGrant RevokeGrant'
  )
    .split(' ')
    .map((name) => `kms:${name}`)
    .concat('sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'),
)

/** Actions that change nothing and reveal no secret. AWS's own policies allow them to services. */
const readingAction = /^kms:(?:Describe|Get|List)/

/** Decides whether the caller is allowed. Never throws. */
export function authorize(
  request: AuthorizationRequest,
  policies: Policies,
  grants: readonly Grant[],
): Decision {
  try {
    return decide(request, policies, grants)
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'something that is no error was thrown'
    return { decision: 'deny', reasons: [], errors: [`authorization failed: ${detail}`] }
  }
}

function decide(
  asked: AuthorizationRequest,
  policies: Policies,
  grants: readonly Grant[],
): Decision {
  const request = { ...asked, work: asked.work ?? newWork() }
  const controls = controlledBy(request, policies)
  const all = listPolicies(policies, controls)
  const broken = all.filter(({ policy }) => policy.broken !== undefined)
  if (broken.length > 0) {
    return deny(
      broken.map(({ name }) => missing(name)),
      broken.map(({ name, policy }) => `broken ${name} policy: ${policy.broken}`),
    )
  }
  const bounded = policies.boundary !== undefined
  const found = all.map(({ name, policy }): PolicyFindings => {
    const uniqueIds = name === 'resource' ? policies.resourcePrincipals : undefined
    return { name, policy, ...findIn(policy, request, { uniqueIds, bounded }) }
  })
  const within = (): Decision => decideWithin(request, policies, found, grants)
  const denies = found.flatMap(denyOf)
  if (denies.length > 0) return deny(deniesInOrder(request, denies, within))
  const decided = decideByAllows(request, controls, found, within)
  // The undecided policy might have allowed the request, so the reasons name it.
  return decided.decision === 'allow'
    ? decided
    : { ...decided, reasons: [...decided.reasons, ...undecidedIn(found)] }
}

/** Decides a request that no policy denies. */
function decideByAllows(
  request: AuthorizationRequest,
  controls: Controls,
  found: readonly PolicyFindings[],
  within: () => Decision,
): Decision {
  if (!mayAsk(request)) return deny([missing('identity')])
  const decided = within()
  const allowing = new Set(
    found.flatMap(({ policy, allow: { session } }) => (session === undefined ? [] : [policy])),
  )
  if (!serviceControlGap(controls.serviceControl, (policy) => allowing.has(policy))) return decided
  // A caller of another account learns of its own limits only when the resource would allow it.
  const { accountId } = request.resource
  if (decided.decision === 'deny' && accountId !== request.caller.accountId) return decided
  return deny([
    missing('service-control'),
    ...decided.reasons.filter(({ effect }) => effect !== 'allow'),
  ])
}

const ownersPolicies: readonly PolicyName[] = ['resource', 'resource-control']

/**
 * Orders denies; a refusal names the first. For another account's caller, denies of its own side come
 * last when the resource would not allow it. Otherwise a caller's own Deny, with a condition on the
 * resource, would reveal whether a key exists, and its tags and aliases letter by letter.
 */
function deniesInOrder(
  { caller, resource }: AuthorizationRequest,
  denies: readonly Reason[],
  within: () => Decision,
): readonly Reason[] {
  if (caller.accountId === resource.accountId) return denies
  const owners = denies.filter(({ policy }) => ownersPolicies.includes(policy))
  if (owners.length > 0) return [...owners, ...denies.filter((each) => !owners.includes(each))]
  const [first] = within().reasons
  const shut = first?.effect === 'implicit-deny' && first.policy === 'resource'
  return shut ? [first, ...denies] : denies
}

/** The decision without the organisation's limits. */
function decideWithin(
  request: AuthorizationRequest,
  policies: Policies,
  found: readonly PolicyFindings[],
  grants: readonly Grant[],
): Decision {
  const identity = identitySide(request, policies, found)
  if (policies.identityOnly) return decideByIdentity(request, identity)
  if (policies.resource === undefined) return deny([missing('resource')], ['no key policy'])
  const resource = found.find(({ name }) => name === 'resource')?.allow ?? {}
  return decideOnKey(request, resource, identity, grants)
}

/** The policies in the order in which a refusal names them. */
function listPolicies(
  { identity, boundary, session, resource }: Policies,
  { serviceControl, resourceControl }: Controls,
): readonly { readonly name: PolicyName; readonly policy: CompiledPolicy }[] {
  const listed: { name: PolicyName; policy: CompiledPolicy }[] = []
  for (const policy of identity) listed.push({ name: 'identity', policy })
  if (boundary !== undefined) listed.push({ name: 'boundary', policy: boundary })
  for (const policy of session ?? []) listed.push({ name: 'session', policy })
  for (const policy of serviceControl?.flat() ?? [])
    listed.push({ name: 'service-control', policy })
  for (const policy of resourceControl ?? []) listed.push({ name: 'resource-control', policy })
  if (resource !== undefined) listed.push({ name: 'resource', policy: resource })
  return listed
}

/**
 * Whether the caller may ask for this kind of action at all. Operators and the test API call Trent's
 * own actions only, and apart from services nobody else does.
 */
function mayAsk(request: AuthorizationRequest): boolean {
  const ours = request.action.startsWith('trent:')
  if (isInsider(request)) return ours
  return request.caller.kind === 'service' || !ours
}

function isInsider({ caller }: AuthorizationRequest): boolean {
  return caller.kind === 'operator' || caller.kind === 'test'
}

/** The decision of the caller's own account. */
interface IdentitySide {
  /** Present when an identity policy allows, or when the caller is its account's root user. */
  readonly allowed?: Reason
  /** Which of identity policies, boundary and session policies do not allow. */
  readonly gaps: readonly Reason[]
  /** The gaps of boundary and session policies alone. */
  readonly limits: readonly Reason[]
}

function identitySide(
  { caller }: AuthorizationRequest,
  policies: Policies,
  found: readonly PolicyFindings[],
): IdentitySide {
  const allows = (wanted: PolicyName): Reason | undefined => {
    for (const { name, policy, allow: allowed } of found) {
      const { session: statement } = allowed
      const { source } = policy
      if (name !== wanted || statement === undefined) continue
      return { effect: 'allow', policy: wanted, ...(source !== undefined && { source }), statement }
    }
    return undefined
  }
  const root: Reason | undefined =
    caller.kind === 'root' ? { effect: 'allow', policy: 'identity' } : undefined
  const allowed = root ?? allows('identity')
  const limits: Reason[] = []
  if (policies.boundary !== undefined && !allows('boundary')) limits.push(missing('boundary'))
  if (policies.session !== undefined && !allows('session')) limits.push(missing('session'))
  if (allowed === undefined) return { gaps: [missing('identity'), ...limits], limits }
  return { allowed, gaps: limits, limits }
}

/** Decides on aliases and `*`, which belong to the caller's own account only. */
function decideByIdentity(request: AuthorizationRequest, identity: IdentitySide): Decision {
  const { caller, resource } = request
  const own = isInsider(request) || caller.accountId === resource.accountId
  if (!own) return deny([missing('identity')])
  return identity.allowed && identity.gaps.length === 0
    ? allow([identity.allowed])
    : deny(identity.gaps)
}

function decideOnKey(
  request: AuthorizationRequest,
  resource: Findings['allow'],
  identity: IdentitySide,
  grants: readonly Grant[],
): Decision {
  if (request.caller.kind === 'service') return decideForService(request, resource, grants)
  const own = request.caller.accountId === request.resource.accountId
  if (!own && !crossAccountActions.has(request.action)) return deny([missing('resource')])
  if (request.action === 'kms:RetireGrant') return retirement(request, identity, grants)
  const byPolicy = own ? byOwnPolicy(resource, identity) : byForeignPolicy(resource, identity)
  if (byPolicy.decision === 'allow') return byPolicy
  const closenessOf = principalTest(request.caller)
  let refused: Decision | undefined
  for (const grant of grants) {
    if (!grantGives(grant, request)) continue
    const closeness = closenessOf(grant.granteePrincipal, grant.granteeId)
    if (closeness === undefined) continue
    const decision = byGrant(request, grant, closeness, identity)
    if (decision.decision === 'allow') return decision
    refused ??= decision
  }
  return refused ?? byPolicy
}

/** Decides for a service. It has no account, so key policies and grants must name it. */
function decideForService(
  request: AuthorizationRequest,
  { session: statement }: Findings['allow'],
  grants: readonly Grant[],
): Decision {
  const { caller, action } = request
  const retires = action === 'kms:RetireGrant'
  if (!retires && !crossAccountActions.has(action) && !readingAction.test(action)) {
    return deny([missing('resource')])
  }
  if (statement !== undefined && !retires) return allow([allowedBy('resource', statement)])
  const grant = grants.find(
    (one) =>
      (isGranteeService(caller, one) && grantGives(one, request)) ||
      (retires && isRetiringService(caller, one)),
  )
  return grant === undefined
    ? deny([missing('resource')])
    : allow([allowedBy('grant', grant.grantId)])
}

/** The first allow; without one, the first decision. */
function firstAllow(decisions: readonly Decision[]): Decision | undefined {
  return decisions.find(({ decision }) => decision === 'allow') ?? decisions[0]
}

/**
 * Decides on retiring a grant. Only the grant itself and its issuing account can allow it, never a key
 * policy. `grants` holds the grant to retire.
 */
function retirement(
  request: AuthorizationRequest,
  identity: IdentitySide,
  grants: readonly Grant[],
): Decision {
  const { caller, resource } = request
  const closenessOf = principalTest(caller)
  const ways = grants.flatMap((grant) => {
    const retiring = closenessOf(grant.retiringPrincipal, grant.retiringId)
    const grantee = grantGives(grant, request)
      ? closenessOf(grant.granteePrincipal, grant.granteeId)
      : undefined
    const issued = caller.accountId === (grant.issuingAccountId ?? resource.accountId)
    return [
      ...(retiring === undefined ? [] : [byGrant(request, grant, retiring, identity)]),
      ...(grantee === undefined ? [] : [byGrant(request, grant, grantee, identity)]),
      ...(issued ? [byGrant(request, grant, 'account', identity)] : []),
    ]
  })
  return firstAllow(ways) ?? deny([missing('resource')])
}

/**
 * Whether the key policy allows the caller, or its role within the role's limits, or delegates to its
 * account.
 */
function byOwnPolicy(resource: Findings['allow'], identity: IdentitySide): Decision {
  const { session, role, account } = resource
  if (session !== undefined) return allow([allowedBy('resource', session)])
  if (role !== undefined && identity.limits.length === 0) {
    return allow([allowedBy('resource', role)])
  }
  if (account !== undefined && identity.allowed && identity.gaps.length === 0) {
    return allow([allowedBy('resource', account), identity.allowed])
  }
  if (role !== undefined) return deny(identity.limits)
  return deny(account === undefined ? [missing('resource')] : identity.gaps)
}

function byForeignPolicy(resource: Findings['allow'], identity: IdentitySide): Decision {
  const { session, role, account } = resource
  const statement = session ?? role ?? account
  if (statement === undefined) return deny([missing('resource')])
  if (identity.allowed && identity.gaps.length === 0) {
    return allow([allowedBy('resource', statement), identity.allowed])
  }
  const closeness = session !== undefined ? 'session' : role !== undefined ? 'role' : 'account'
  return deny(gapsAs(closeness, identity))
}

/**
 * The gaps of the caller's own side, in the order in which a refusal names them. When the resource
 * allows the role, the limits of the role's session come first. AWS's recorded answers show this for
 * grants; for key policies it is inferred.
 */
function gapsAs(closeness: Closeness, { gaps, limits }: IdentitySide): readonly Reason[] {
  if (closeness !== 'role') return gaps
  return [...limits, ...gaps.filter((gap) => !limits.includes(gap))]
}

/**
 * Decides by a grant instead of the key policy. For another account's caller, a grant that the key's
 * account issued gives nothing that the caller's own account does not allow.
 */
function byGrant(
  { caller, resource }: AuthorizationRequest,
  grant: Grant,
  closeness: Closeness,
  identity: IdentitySide,
): Decision {
  const issuer = grant.issuingAccountId ?? resource.accountId
  const foreign = caller.accountId !== resource.accountId && caller.accountId !== issuer
  const bothSides = closeness === 'account' || foreign
  const gaps = bothSides ? gapsAs(closeness, identity) : closeness === 'role' ? identity.limits : []
  return gaps.length > 0 ? deny(gaps) : allow([allowedBy('grant', grant.grantId)])
}

function missing(policy: PolicyName): Reason {
  return { effect: 'implicit-deny', policy }
}

function allowedBy(policy: PolicyName, statement: string): Reason {
  return { effect: 'allow', policy, statement }
}

function allow(reasons: readonly Reason[]): Decision {
  return { decision: 'allow', reasons, errors: [] }
}

function deny(reasons: readonly Reason[], errors: readonly string[] = []): Decision {
  return { decision: 'deny', reasons, errors }
}
