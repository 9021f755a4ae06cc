/**
 * Builds the condition keys of one request on one resource. Unknown facts are absent, and the rules for
 * missing keys apply to them.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 * @module
 */
import { parseArn } from '../model/arn.ts'
import type { Caller, CallerKind } from '../model/caller.ts'
import type { KeyRecord } from '../model/key.ts'
import { organizationPath, type Organization } from '../model/organization.ts'
import { oidcProviderArn } from '../model/oidc-provider.ts'
import type { ServicePrincipal } from '../model/service.ts'
import { roleArnOf } from './caller-names.ts'
import { unmapped } from './scalars.ts'
import type { Context } from './context-values.ts'

/** The facts that condition keys are built from. */
export interface ContextFacts {
  readonly caller: Caller
  /** The requested action, such as `kms:Encrypt`. */
  readonly action: string
  /** The called Region. */
  readonly region: string
  /** Milliseconds since the epoch, of the clock that decisions use. */
  readonly now: number
  readonly sourceAddress?: string | undefined
  /** True over TLS, or when the request did not leave the machine. */
  readonly secure: boolean
  readonly userAgent?: string | undefined
  readonly referer?: string | undefined
  /** The account that owns the resource. */
  readonly resourceAccountId: string
  /** The organisations of the caller's account and of the resource's account. */
  readonly principalOrganization?: Organization | undefined
  readonly resourceOrganization?: Organization | undefined
  readonly key?: KeyRecord | undefined
  /** Every alias of the key, when they were looked up: `alias/…`. */
  readonly keyAliases?: readonly string[] | undefined
  /** The alias by which the request named the key: `alias/…`. */
  readonly requestAlias?: string | undefined
  /** Condition keys that the operation adds. */
  readonly entries?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
}

const principalTypes: Readonly<Partial<Record<CallerKind, string>>> = {
  root: 'Account',
  user: 'User',
  'assumed-role': 'AssumedRole',
  'federated-user': 'FederatedUser',
  infrastructure: 'AssumedRole',
}

/** Actions without a key or a key store. Their context has no `kms:CallerAccount`. */
const withoutCallerAccount: ReadonlySet<string> = new Set([
  'kms:GenerateRandom',
  'kms:ListAliases',
  'kms:ListKeys',
  'kms:ListRetirableGrants',
])

/** Builds the context. Entries of the operation never replace keys that every request has. */
export function requestContext(facts: ContextFacts): Context {
  const context = new Map<string, string[]>()
  addEntries(context, facts.entries)
  const set = (key: string, value: string | undefined): void => {
    if (value !== undefined) context.set(key, [value])
  }
  const { caller, key, action } = facts
  setPrincipal(context, set, caller)
  const told = caller.service === undefined && !withoutCallerAccount.has(action)
  if (action.startsWith('kms:') && told) set('kms:calleraccount', caller.accountId)
  const seconds = Math.floor(facts.now / 1000)
  set('aws:currenttime', isoSeconds(seconds))
  set('aws:epochtime', String(seconds))
  set('aws:requestedregion', facts.region)
  set('aws:securetransport', String(facts.secure))
  set('aws:sourceip', normalAddress(facts.sourceAddress))
  set('aws:useragent', facts.userAgent)
  set('aws:referer', facts.referer)
  set('aws:resourceaccount', facts.resourceAccountId)
  setForwarding(context, set, caller)
  if (caller.kind in principalTypes || caller.kind === 'infrastructure') {
    setOrganization(set, 'principal', facts.principalOrganization)
  }
  setOrganization(set, 'resource', facts.resourceOrganization)
  set('kms:requestalias', facts.requestAlias)
  if (facts.keyAliases !== undefined) context.set('kms:resourcealiases', [...facts.keyAliases])
  if (key !== undefined) setKey(context, set, key)
  return context
}

type Set = (key: string, value: string | undefined) => void

/** Sets the keys for calls through services. It overrides the operation's defaults for direct calls. */
function setForwarding(context: Map<string, string[]>, set: Set, { forwarded }: Caller): void {
  set('aws:viaawsservice', String(forwarded !== undefined))
  if (forwarded === undefined) return
  const { via, service } = forwarded
  set('kms:viaservice', service.regionalName)
  context.set('aws:calledvia', [...via])
  set('aws:calledviafirst', via[0])
  set('aws:calledvialast', via.at(-1))
  if (context.has('kms:grantisforawsresource')) set('kms:grantisforawsresource', 'true')
}

/** Sets the keys for a calling service. It has no account, and it names its own resource. */
function setService(context: Map<string, string[]>, set: Set, service: ServicePrincipal): void {
  set('aws:principalisawsservice', 'true')
  set('aws:principalservicename', service.name)
  context.set('aws:principalservicenameslist', [service.name, service.regionalName])
  set('aws:sourcearn', service.sourceArn)
  set('aws:sourceaccount', service.sourceAccount)
  set('aws:sourceorgid', service.sourceOrgId)
}

function setPrincipal(context: Map<string, string[]>, set: Set, caller: Caller): void {
  if (caller.service !== undefined) return setService(context, set, caller.service)
  set('aws:principalisawsservice', 'false')
  const type = principalTypes[caller.kind]
  if (caller.kind === 'web-identity') {
    set('aws:federatedprovider', caller.arn)
    return
  }
  set('aws:principalarn', roleArnOf(caller) ?? caller.arn)
  set('aws:principalaccount', caller.accountId)
  set('aws:principaltype', type)
  set('aws:userid', caller.uniqueId)
  set('aws:username', caller.kind === 'user' ? caller.userName : undefined)
  const { session } = caller
  if (session === undefined) return
  set('aws:tokenissuetime', isoSeconds(Math.floor(session.issuedAt / 1000)))
  // Nobody proves a second factor here. Long-term credentials do not have this condition key at all.
  set('aws:multifactorauthpresent', 'false')
  set('aws:sourceidentity', session.sourceIdentity)
  const { webIdentity } = session
  if (webIdentity === undefined) return
  const { provider } = webIdentity
  const partition = parseArn(caller.arn)?.partition ?? ''
  set(
    'aws:federatedprovider',
    oidcProviderArn(partition, { accountId: session.accountId, name: provider }),
  )
}

function setOrganization(
  set: Set,
  whose: 'principal' | 'resource',
  organization: Organization | undefined,
): void {
  if (organization === undefined) return
  set(`aws:${whose}orgid`, organization.organizationId)
  set(`aws:${whose}orgpaths`, organizationPath(organization))
}

function setKey(context: Map<string, string[]>, set: Set, key: KeyRecord): void {
  set('kms:keyspec', key.spec)
  set('kms:keyusage', key.usage)
  set('kms:customermasterkeyspec', key.spec)
  set('kms:customermasterkeyusage', key.usage)
  set('kms:keyorigin', key.origin)
  set('kms:multiregion', String(key.primaryRegion !== undefined))
  if (key.primaryRegion !== undefined) {
    set('kms:multiregionkeytype', key.primaryRegion === key.region ? 'PRIMARY' : 'REPLICA')
  }
  for (const { TagKey, TagValue } of key.tags) {
    append(context, `aws:resourcetag/${TagKey.toLowerCase()}`, [TagValue])
  }
}

function addEntries(context: Map<string, string[]>, entries: ContextFacts['entries'] = {}): void {
  for (const name of Object.keys(entries)) {
    const value = entries[name]
    if (value !== undefined) {
      append(context, name.toLowerCase(), typeof value === 'string' ? [value] : value)
    }
  }
}

/**
 * Adds values to a key. Two names that differ only in case are one condition key with both values, so
 * neither hides the other. Names are caller-controlled: a request may spell one in tens of thousands of
 * ways.
 */
function append(context: Map<string, string[]>, key: string, values: readonly string[]): void {
  const before = context.get(key)
  if (before === undefined) context.set(key, [...values])
  else for (const value of values) before.push(value)
}

/** `2030-01-01T00:00:00Z` */
function isoSeconds(seconds: number): string {
  const date = new Date(seconds * 1000)
  return `${date.toISOString().slice(0, -5)}Z`
}

/** Removes the scope id, which is not part of an address. */
function normalAddress(address: string | undefined): string | undefined {
  const [bare = ''] = address?.split('%') ?? []
  return bare === '' ? undefined : unmapped(bare)
}
