/**
 * Step 6: decides every permission that a call needs, one by one. The first denied permission refuses
 * the call in AWS's words.
 * @module
 */
import { authorize } from '../policy/authorize.ts'
import { requestContext } from '../policy/context.ts'
import type { AuthorizationRequest, Decision, Grant, Policies } from '../policy/decision.ts'
import {
  accessDenied,
  ciphertextRefused,
  roleRefused,
  unresolvableResource,
} from '../policy/refusal.ts'
import type { Work } from '../policy/work.ts'
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import { formatArn } from '../model/arn.ts'
import { aliasArn, keyArn, type KeyRecord } from '../model/key.ts'
import { iamArn, stsArn, trailResourceArn } from '../resolve/identities.ts'
import type { Operation, Permission } from '../operations/contract/operation.ts'
import type { RequestScope } from '../model/identifiers.ts'
import { requireServedSession } from '../authenticate/session-limits.ts'
import { LazyContext } from './lazy-context.ts'
import type { ContextEntries, Origin } from '../operations/contract/call.ts'
import type { Context } from '../policy/context-values.ts'
import type { Accounts, Identity, CachedKey } from '../cache/cached-records.ts'
import { organizationLimits, organizationsOf } from './accounts.ts'
import type { ResolvedKeys, ResolvedNames, ResolvedKey, AssumedRole } from '../resolve/resolved.ts'

/** The call's facts that conditions can use. */
export interface Asking {
  readonly operation: Operation
  readonly caller: Caller
  readonly scope: RequestScope
  readonly origin: Origin
  /** Milliseconds since the epoch, of the clock that decisions use. */
  readonly now: number
  /** The caller's policies in its own account. */
  readonly identity: Identity
  /** The accounts that the call concerns. */
  readonly accounts: Accounts
  /** Facts that the call's attestation document proves, by condition key. */
  readonly attested?: ContextEntries | undefined
  /** Days since the key was last used, when policies may ask. */
  readonly idle?: ContextEntries | undefined
  /** The work limit shared by all decisions of the call. */
  readonly work?: Work | undefined
}

/**
 * Receives every decision. Its reasons go into the record, its errors into the log.
 * @param accountId the account that owns the resource
 */
export type OnDecision = (action: string, decision: Decision, accountId: string) => void

type Given = Readonly<Record<string, unknown>>

/** @throws {KmsError} `AccessDeniedException` */
export function authorizeCall(
  asking: Asking,
  input: Given,
  resolved: ResolvedNames,
  onDecision: OnDecision,
): void {
  const { operation, caller, scope } = asking
  requireServedSession(caller, operation)
  const entriesFor = (use?: string) => (): ContextEntries => ({
    ...operation.context?.(input, use, recordsOf(resolved), resolved.grant),
    ...asking.attested,
    ...asking.idle,
  })
  const decideOn = (permission: Permission): void => {
    const arn = resourceArn(permission, scope)
    decide(asking, { ...permission, arn, entries: entriesFor() }, onDecision)
  }
  const permissions = operation.permissions?.(input) ?? []
  for (const permission of permissions) if (permission.region === undefined) decideOn(permission)
  for (const { action, arn, shown, entries: named } of resolved.identities.named) {
    const entries = (): ContextEntries => ({ ...named, ...entriesFor()() })
    decide(asking, { action, arn, shown, entries }, onDecision)
  }
  if (resolved.assumed !== undefined) {
    decideOnRole(asking, resolved.assumed, entriesFor(), onDecision)
  }
  if (operation.alias !== undefined && resolved.alias !== undefined) {
    const arn = aliasArn(scope.partition, resolved.alias)
    const { action } = operation.alias
    decide(asking, { action, arn, entries: entriesFor() }, onDecision)
  }
  for (const [name, key] of resolved.keys) {
    if (key.known === undefined) throw hiddenKeyRefused(key, caller)
    const { action, crossAccount } = key.use
    const foreign = key.known.record.accountId !== caller.accountId
    // A service has no account. Key policies alone decide what it may read.
    const read = caller.service !== undefined && operation.readOnly
    if (foreign && !crossAccount && !read) throw unresolvableResource(caller, action)
    decideOnKey(asking, key, { input, resolved, entries: entriesFor(name) }, onDecision)
  }
  for (const permission of permissions) if (permission.region !== undefined) decideOn(permission)
}

function resourceArn(permission: Permission, scope: RequestScope): string {
  const { arn, iamResource, stsResource, trailResource, kmsResource } = permission
  if (iamResource !== undefined) return iamArn(scope, iamResource)
  if (stsResource !== undefined) return stsArn(scope, stsResource)
  if (trailResource !== undefined) return trailResourceArn(scope, trailResource)
  if (kmsResource !== undefined) {
    const { region = scope.region } = permission
    return formatArn({ ...scope, service: 'kms', region, resource: kmsResource })
  }
  return arn ?? '*'
}

function recordsOf({ keys }: ResolvedKeys): Readonly<Record<string, KeyRecord>> {
  return Object.fromEntries(
    [...keys].flatMap(([name, { known }]) => (known ? [[name, known.record]] : [])),
  )
}

function hiddenKeyRefused(key: ResolvedKey, caller: Caller): Error {
  return key.namedBy === 'ciphertext'
    ? ciphertextRefused()
    : unresolvableResource(caller, key.use.action)
}

/** Builds the operation's condition keys, when the context is built. */
type Entries = () => ContextEntries

/** The facts of a call on a key, in addition to the key itself. */
interface AskedOfKey {
  readonly input: Given
  readonly resolved: Pick<ResolvedKeys, 'grant'>
  readonly entries: Entries
}

/** The engine's question about an existing key. */
export function keyQuestion(
  asking: Asking,
  { use, requestAlias, aliasNames, grants = [] }: ResolvedKey,
  { record, policy }: CachedKey,
  { input, resolved, entries }: AskedOfKey,
): { request: AuthorizationRequest; policies: Policies; grants: readonly Grant[] } {
  const { operation } = asking
  const encryptionContext = contextMember(input, use.encryptionContext)
  const requestedGrant = operation.requestedGrant?.(input)
  const request = {
    caller: asking.caller,
    action: use.action,
    resource: { arn: keyArn(asking.scope.partition, record), accountId: record.accountId },
    context: contextOf(asking, { action: use.action, accountId: record.accountId }, entries, {
      key: record,
      requestAlias,
      keyAliases: aliasNames,
    }),
    ...(encryptionContext && { encryptionContext }),
    ...(requestedGrant && { requestedGrant }),
    ...(asking.work && { work: asking.work }),
  }
  const policies: Policies = {
    resource: policy,
    resourcePrincipals: record.policyPrincipals,
    identityOnly: false,
    ...callerSideOf(asking, record.accountId),
    // An organisation's limits on resources do not apply to the keys that AWS services manage for an
    // account.
    ...(record.manager === 'AWS' && { resourceControl: [] }),
  }
  const named = operation.grant === undefined ? grants : resolved.grant ? [resolved.grant] : []
  return { request, policies, grants: named }
}

function decideOnKey(
  asking: Asking,
  key: ResolvedKey,
  asked: AskedOfKey,
  onDecision: OnDecision,
): void {
  const { known, use, namedBy } = key
  if (known === undefined) throw hiddenKeyRefused(key, asking.caller)
  const { request, policies, grants } = keyQuestion(asking, key, known, asked)
  const decision = authorize(request, policies, grants)
  onDecision(use.action, decision, known.record.accountId)
  if (decision.decision === 'allow') return
  const { caller } = asking
  const crossAccount = known.record.accountId !== caller.accountId
  // Infrastructure is not a principal of the account: it must not learn of keys that it has no grant for.
  const hidden = crossAccount || caller.kind === 'infrastructure'
  if (namedBy === 'ciphertext' && hidden) throw ciphertextRefused()
  throw accessDenied(decision, request, { crossAccount })
}

/**
 * Decides on assuming a role. The trust policy must allow the caller, and the caller's own account must
 * not forbid it. The refusal is the same for a role that does not exist and for one that does not trust
 * the caller.
 */
function decideOnRole(
  asking: Asking,
  { actions, arn, accountId, known, entries: tags }: AssumedRole,
  entries: Entries,
  onDecision: OnDecision,
): void {
  const { caller } = asking
  if (caller.kind === 'root') {
    throw new KmsError('AccessDeniedException', 'Roles may not be assumed by root accounts.')
  }
  for (const action of actions) {
    const all = (): ContextEntries => ({ ...entries(), ...tags })
    const context = contextOf(asking, { action, accountId }, all)
    const { work } = asking
    const request = { caller, action, resource: { arn, accountId }, context, ...(work && { work }) }
    const decision =
      known &&
      authorize(
        request,
        {
          ...callerSideOf(asking, accountId),
          resource: known.trust,
          resourcePrincipals: known.record.trustPrincipals,
          identityOnly: false,
        },
        [],
      )
    if (decision !== undefined) onDecision(action, decision, accountId)
    if (decision?.decision !== 'allow') throw roleRefused(caller, action, arn)
  }
}

/** The caller's own policies, and the limits of both accounts' organisations. */
function callerSideOf(
  { caller, identity, accounts }: Asking,
  resourceAccountId: string,
): Pick<Policies, 'identity' | 'boundary' | 'session' | 'serviceControl' | 'resourceControl'> {
  const { policies, boundary, session } = identity
  return {
    identity: policies,
    ...(boundary && { boundary }),
    ...(session && { session }),
    ...organizationLimits(accounts, caller.accountId, resourceAccountId),
  }
}

/** A map of strings: the operation's shape has checked it. */
function contextMember(
  input: Given,
  member: string | undefined,
): Readonly<Record<string, string>> | undefined {
  return member === undefined ? undefined : (input[member] as Readonly<Record<string, string>>)
}

function decide(
  asking: Asking,
  asked: {
    readonly action: string
    readonly arn: string
    readonly region?: string
    /** The resource's name in a refusal, when it is not the ARN. */
    readonly shown?: string | undefined
    readonly unnamedResource?: true | undefined
    readonly entries: Entries
  },
  onDecision: OnDecision,
): void {
  const { caller } = asking
  const { action, arn, shown = arn, entries, region, unnamedResource = false } = asked
  const request = {
    caller,
    action,
    resource: { arn, accountId: caller.accountId },
    context: contextOf(asking, { action, accountId: caller.accountId }, entries, { region }),
    ...(asking.work && { work: asking.work }),
  }
  const policies = { identityOnly: true, ...callerSideOf(asking, caller.accountId) }
  const decision = authorize(request, policies, [])
  onDecision(action, decision, caller.accountId)
  if (decision.decision === 'deny') {
    const told = { ...request, resource: { ...request.resource, arn: shown } }
    throw accessDenied(decision, told, { crossAccount: false, unnamedResource })
  }
}

function contextOf(
  asking: Asking,
  { action, accountId }: { readonly action: string; readonly accountId: string },
  entries: Entries,
  about: {
    readonly key?: KeyRecord
    /** The Region of the decision, when it differs from the call's and the key's. */
    readonly region?: string | undefined
    readonly requestAlias?: string | undefined
    readonly keyAliases?: readonly string[] | undefined
  } = {},
): Context {
  const { caller, scope, origin, now } = asking
  const { region = about.key?.region ?? scope.region, ...resource } = about
  return new LazyContext(() =>
    requestContext({
      caller,
      action,
      region,
      now,
      ...origin,
      resourceAccountId: accountId,
      ...organizationsOf(asking.accounts, caller.accountId, accountId),
      ...resource,
      entries: { ...entries(), ...asking.identity.entries },
    }),
  )
}
