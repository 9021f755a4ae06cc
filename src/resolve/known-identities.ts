/**
 * What is known of a user or a role in memory: its record, its policies compiled, its tags as condition
 * keys; and of a managed policy.
 * @module
 */
import { compilePolicy, type CompiledPolicy } from '../authorize/compile.ts'
import { insiderPolicy, servicePolicy } from '../authorize/insider-policy.ts'
import { roleIdOf, type Caller, type WebIdentityCaller } from '../model/caller.ts'
import type { GroupRecord } from '../model/group.ts'
import type { IdentityRecord } from '../model/identity.ts'
import { defaultDocument } from '../model/managed-policy.ts'
import type { RoleRecord } from '../model/role.ts'
import type { Session } from '../model/session.ts'
import type { UserRecord } from '../model/user.ts'
import type { ContextEntries } from '../operations/operation.ts'
import type { StoreReads } from '../store/store.ts'
import type { Lookup } from './lookup.ts'

/** What a caller's own account says of it. */
export interface Identity {
  readonly policies: readonly CompiledPolicy[]
  /** Beyond which its policies give nothing. */
  readonly boundary?: CompiledPolicy
  /** `aws:PrincipalTag/…` */
  readonly entries: ContextEntries
  /** Present for sessions made with policies: one of them must allow. */
  readonly session?: readonly CompiledPolicy[]
}

export interface KnownIdentity<R extends IdentityRecord> extends Identity {
  readonly record: R
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

export type KnownUser = KnownIdentity<UserRecord>

export type KnownGroup = KnownIdentity<GroupRecord>

export interface KnownRole extends KnownIdentity<RoleRecord> {
  /** Who may assume it; asked together with `record.trustPrincipals`. */
  readonly trust: CompiledPolicy
}

/** As for key policies: what a character of a policy takes once it is compiled. */
const compiledBytesPerCharacter = 80
const overheadBytes = 8192

export async function loadUser(
  userId: string,
  store: Pick<StoreReads, 'findUser'>,
): Promise<KnownUser | undefined> {
  const record = await store.findUser(userId)
  return record && knownIdentity(record, 'inline policy')
}

export async function loadGroup(
  groupId: string,
  store: Pick<StoreReads, 'findGroup'>,
): Promise<KnownGroup | undefined> {
  const record = await store.findGroup(groupId)
  return record && knownIdentity(record, `group ${record.name}, inline policy`)
}

export async function loadRole(
  roleId: string,
  store: Pick<StoreReads, 'findRole'>,
): Promise<KnownRole | undefined> {
  const record = await store.findRole(roleId)
  if (record === undefined) return undefined
  const { bytes, ...known } = knownIdentity(record, 'inline policy')
  const { trustPolicy } = record
  return {
    ...known,
    trust: compilePolicy(trustPolicy, 'trust'),
    bytes: bytes + compiledBytesPerCharacter * trustPolicy.length,
  }
}

/** @param what its inline policies are called in explanations, before their names */
function knownIdentity<R extends IdentityRecord>(record: R, what: string): KnownIdentity<R> {
  const documents = Object.entries(record.inlinePolicies)
  const characters = documents.reduce((sum, [, { length }]) => sum + length, 0)
  return {
    record,
    policies: documents.map(([name, document]) => ({
      ...compilePolicy(document, 'identity'),
      source: `${what} ${name}`,
    })),
    entries: tagEntries('aws:PrincipalTag', record),
    bytes: overheadBytes + compiledBytesPerCharacter * characters,
  }
}

/** A record's tags as condition keys under `prefix`. */
export function tagEntries(prefix: string, { tags }: Pick<IdentityRecord, 'tags'>): ContextEntries {
  return Object.fromEntries(tags.map(({ Key, Value }) => [`${prefix}/${Key}`, Value]))
}

/** The version of a managed policy that holds, compiled. */
export interface KnownPolicy {
  readonly policy: CompiledPolicy
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

export async function loadManagedPolicy(
  policyId: string,
  store: Pick<StoreReads, 'findManagedPolicy'>,
): Promise<KnownPolicy | undefined> {
  const record = await store.findManagedPolicy(policyId)
  const document = record && defaultDocument(record)
  if (document === undefined) return undefined
  const bytes = overheadBytes + compiledBytesPerCharacter * document.length
  const source = `managed policy ${record?.path ?? '/'}${record?.name ?? ''}`
  return { policy: { ...compilePolicy(document, 'identity'), source }, bytes }
}

const nothing: Identity = { policies: [], entries: {} }
const insider: Identity = { policies: [insiderPolicy], entries: {} }
const service: Identity = { policies: [servicePolicy], entries: {} }
/** A federated user of a root user has what the root user has, within its session's policies. */
const everything = compilePolicy(
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
  'identity',
)
/** What cannot be read may have held a Deny. */
const lost = (what: string): CompiledPolicy => ({ broken: `${what} is gone`, statements: [] })

type IdentityLookup = Pick<Lookup, 'user' | 'role' | 'group' | 'managedPolicy'>

/** Root users need no policy: in their own account their identity side allows everything. */
export function identityOf(caller: Caller, lookup: IdentityLookup): Identity | Promise<Identity> {
  if (caller.kind === 'operator' || caller.kind === 'test') return insider
  if (caller.kind === 'service') return service
  // Only grants speak of infrastructure.
  if (caller.kind === 'root' || caller.kind === 'infrastructure') return nothing
  if (caller.webIdentity !== undefined)
    return { policies: [], entries: claimEntries(caller.webIdentity) }
  if (caller.kind === 'user')
    return identityBehind('the user', lookup.user(caller.uniqueId), lookup)
  return identityOfSession(caller, lookup)
}

/** What a token has proved, as condition keys of the call that brings it. */
function claimEntries({ provider, claims, tags, ...rest }: WebIdentityCaller): ContextEntries {
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

async function identityOfSession(caller: Caller, lookup: IdentityLookup): Promise<Identity> {
  const { session, issuer } = caller
  const behind =
    caller.kind === 'assumed-role'
      ? await identityBehind('the role', lookup.role(roleIdOf(caller)), lookup)
      : issuer?.type === 'Root'
        ? { policies: [everything], entries: {} }
        : await identityBehind('the user', lookup.user(issuer?.principalId ?? ''), lookup)
  if (session === undefined) return behind
  const { policy, policyIds, kind } = session
  const limits = await managedPolicies(policyIds, lookup)
  if (policy !== undefined) limits.push(compiledOnce(session, policy))
  // A federated user without policies may do nothing by its user's.
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

/** What of its token a session goes on being known by. */
function provenEntries({ webIdentity }: Session): ContextEntries {
  if (webIdentity === undefined) return {}
  const { provider, audience, subject, methods } = webIdentity
  return {
    [`${provider}:aud`]: audience,
    [`${provider}:sub`]: subject,
    ...(methods.length > 0 && { [`${provider}:amr`]: methods }),
  }
}

/** A session's own tag hides one of its role that differs in case only: they are one condition key. */
function overlaid(entries: ContextEntries, own: ContextEntries): ContextEntries {
  const hidden = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  const left = Object.entries(entries).filter(([name]) => !hidden.has(name.toLowerCase()))
  return { ...Object.fromEntries(left), ...own }
}

const sessionPolicies = new WeakMap<Session, CompiledPolicy>()

/** By session, whose object is the same for as long as its token is remembered. */
function compiledOnce(session: Session, policy: string): CompiledPolicy {
  const known = sessionPolicies.get(session)
  if (known !== undefined) return known
  const compiled = compilePolicy(policy, 'identity')
  sessionPolicies.set(session, compiled)
  return compiled
}

async function identityBehind(
  what: string,
  found: ReturnType<Lookup['user' | 'role']>,
  lookup: Pick<Lookup, 'group' | 'managedPolicy'>,
): Promise<Identity> {
  const known = await found
  // It went away while it called: nothing that its account said of it holds any more.
  if (known === undefined) return { policies: [lost(what)], entries: {} }
  const { policies, entries, record } = known
  const { attachedPolicies, permissionsBoundary } = record
  const groups = 'groups' in record ? record.groups : []
  if (attachedPolicies.length + groups.length === 0 && permissionsBoundary === undefined) {
    return { policies, entries }
  }
  const attached = await managedPolicies(attachedPolicies, lookup)
  const shared = await Promise.all(groups.map((groupId) => policiesOfGroup(groupId, lookup)))
  const [boundary] =
    permissionsBoundary === undefined ? [] : await managedPolicies([permissionsBoundary], lookup)
  return {
    policies: [...policies, ...attached, ...shared.flat()],
    entries,
    ...(boundary && { boundary }),
  }
}

/** What a group's members have of it. */
async function policiesOfGroup(
  groupId: string,
  lookup: Pick<Lookup, 'group' | 'managedPolicy'>,
): Promise<readonly CompiledPolicy[]> {
  const group = await lookup.group(groupId)
  if (group === undefined) return [lost(`the group ${groupId}`)]
  return [...group.policies, ...(await managedPolicies(group.record.attachedPolicies, lookup))]
}

/** One that is gone denies. */
function managedPolicies(
  policyIds: readonly string[],
  lookup: Pick<Lookup, 'managedPolicy'>,
): Promise<CompiledPolicy[]> {
  return Promise.all(
    policyIds.map(async (policyId) => {
      const managed = await lookup.managedPolicy(policyId)
      return managed?.policy ?? lost(`the managed policy ${policyId}`)
    }),
  )
}
