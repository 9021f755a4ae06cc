/**
 * The facts behind one decision: the names of everything that was read to make it. Changes committed since
 * the first fact was read are compared with these names, which shows whether the decision still holds.
 *
 * INVARIANT (one moment): a decision counts only if no fact behind it has changed between the first one
 * read and the last. Then all of them were true together.
 * @module
 */
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Grant } from '../policy/decision.ts'
import type { Caller } from '../model/caller.ts'
import type { GrantRecord, GrantRef } from '../model/grant.ts'
import type { KeyRef } from '../model/key.ts'
import { readGrantChangeId, type Change } from '../store/change.ts'
import type { Store, StoreReads } from '../store/store.ts'
import type { GrantTokens } from '../resolve/grant-tokens.ts'
import type { Lookup } from '../cache/cached-records.ts'

type IdentityReads = Pick<
  StoreReads,
  'findUser' | 'findUserByName' | 'findRoleByName' | 'findGroupByName' | 'findManagedPolicy'
>

export interface FactSources {
  readonly lookup: Lookup
  readonly store: IdentityReads
  readonly findGrant: Store['findGrant']
  readonly grantTokens: Pick<GrantTokens, 'find'>
}

/** The same sources, which note the name of everything that is read. */
export interface Facts extends FactSources {
  /** Notes the credentials that prove who calls. */
  noteCaller(caller: Caller): void
  /** Whether none of the facts has changed since the first was read, as far as `log` knows. */
  hold(log: Pick<Store, 'epoch' | 'changesSince'>): Awaitable<boolean>
}

/** @param since the number of the last change that was committed before the first fact was read */
export function openFacts(sources: FactSources, since: number): Facts {
  const names = new Set<string>()
  let heldAt = since
  const check = async (log: Pick<Store, 'changesSince'>): Promise<boolean> => {
    const changes = await log.changesSince(heldAt)
    if (changes === undefined || changes.some((change) => touches(change, names))) return false
    heldAt = changes.at(-1)?.seq ?? heldAt
    return true
  }
  return {
    ...notingSources(sources, (name) => void names.add(name)),
    noteCaller(caller) {
      for (const name of credentialsOf(caller)) names.add(name)
    },
    hold: (log) => log.epoch() === heldAt || check(log),
  }
}

/** By its unique id: an access key, a user, a role, a group, a policy, an account, a material. */
function one(kind: Change['kind'], id: string): string {
  return `${kind} ${id}`
}

/** By a name that is unique in its account and Region: a key, an alias, a grant. */
function placed(kind: Change['kind'], accountId: string, region: string, id: string): string {
  return `${kind} ${accountId}/${region}/${id}`
}

/** Anything of a kind in an account: for names that were looked up and not found. */
function anyOf(kind: Change['kind'], accountId: string): string {
  return `any ${kind} ${accountId}`
}

/** The grants of a key to one grantee, among which none was found. */
function grantsTo({ accountId, region, keyId }: KeyRef, grantee: string): string {
  return `grants ${accountId}/${region}/${keyId}/${grantee}`
}

function grantOf({ accountId, region, keyId, grantId }: GrantRef): string {
  return placed('grant', accountId, region, `${keyId}/${grantId}`)
}

function touches(change: Change, names: ReadonlySet<string>): boolean {
  const { kind, accountId, region, id } = change
  if (kind === 'grant') {
    const { keyId, grantId, grantee = '' } = readGrantChangeId(id)
    const key = { accountId, region, keyId }
    // The deletion of a key is a separate change.
    if (grantId === undefined) return false
    return names.has(grantOf({ ...key, grantId })) || names.has(grantsTo(key, grantee))
  }
  return (
    kind === 'everything' ||
    names.has(one(kind, id)) ||
    names.has(anyOf(kind, accountId)) ||
    names.has(placed(kind, accountId, region, id))
  )
}

function credentialsOf({ accessKeyId, session, issuer, service, ...rest }: Caller): string[] {
  const principalId = issuer?.principalId ?? rest.uniqueId
  return [
    ...[accessKeyId, session?.sourceAccessKeyId].flatMap((id) =>
      id === undefined ? [] : [one('access-key', id), one('service', id)],
    ),
    one('user', principalId),
    one('role', principalId),
    // Services that call for somebody share one name here: services change seldom.
    ...((service ?? rest.forwarded) ? [anyOf('service', '')] : []),
    ...(rest.webIdentity ? [anyOf('oidc-provider', rest.accountId)] : []),
  ]
}

type Note = (name: string) => void

function notingSources(sources: FactSources, note: Note): FactSources {
  const { lookup, store, findGrant, grantTokens } = sources
  const noteGrant = (grant: GrantRecord): GrantRecord => {
    const { accountId, region, keyId } = grant
    note(placed('key', accountId, region, keyId))
    note(grantOf(grant))
    return grant
  }
  return {
    lookup: notingLookup(lookup, note),
    store: notingReads(store, note),
    async findGrant(ref) {
      note(grantOf(ref))
      return findGrant(ref)
    },
    grantTokens: {
      find: (token, region) => andThen(grantTokens.find(token, region), noteGrant),
    },
  }
}

function notingLookup(lookup: Lookup, note: Note): Lookup {
  return {
    ...lookup,
    key(ref) {
      note(placed('key', ref.accountId, ref.region, ref.keyId))
      return lookup.key(ref)
    },
    alias(ref) {
      note(placed('alias', ref.accountId, ref.region, ref.name))
      return lookup.alias(ref)
    },
    aliasNames(ref) {
      note(anyOf('alias', ref.accountId))
      return lookup.aliasNames(ref)
    },
    material(materialId) {
      note(one('material', materialId))
      return lookup.material(materialId)
    },
    account(accountId) {
      note(one('account', accountId))
      return lookup.account(accountId)
    },
    user(userId) {
      note(one('user', userId))
      return lookup.user(userId)
    },
    role(roleId) {
      note(one('role', roleId))
      return lookup.role(roleId)
    },
    group(groupId) {
      note(one('group', groupId))
      return lookup.group(groupId)
    },
    managedPolicy(policyId) {
      note(one('managed-policy', policyId))
      return lookup.managedPolicy(policyId)
    },
    grant(ref) {
      note(grantOf(ref))
      return lookup.grant(ref)
    },
    grantsGiving(key, name, ...asked) {
      // The found grant goes on giving the permission, whatever happens to the grantee's other grants.
      const noteFound = (found: readonly Grant[]): readonly Grant[] => {
        for (const { grantId } of found) note(grantOf({ ...refOf(key), grantId }))
        if (found.length === 0) note(grantsTo(key, name.grantee))
        return found
      }
      return andThen(lookup.grantsGiving(key, name, ...asked), noteFound)
    },
  }
}

/** Found rows are noted by their ids, so that other changes in the account do not matter. */
function notingReads(store: IdentityReads, note: Note): IdentityReads {
  return {
    findUser(userId) {
      note(one('user', userId))
      return store.findUser(userId)
    },
    async findUserByName(accountId, name) {
      const found = await store.findUserByName(accountId, name)
      note(found ? one('user', found.userId) : anyOf('user', accountId))
      return found
    },
    async findRoleByName(accountId, name) {
      const found = await store.findRoleByName(accountId, name)
      note(found ? one('role', found.roleId) : anyOf('role', accountId))
      return found
    },
    async findGroupByName(accountId, name) {
      const found = await store.findGroupByName(accountId, name)
      note(found ? one('group', found.groupId) : anyOf('group', accountId))
      return found
    },
    findManagedPolicy(policyId) {
      note(one('managed-policy', policyId))
      return store.findManagedPolicy(policyId)
    },
  }
}

function refOf({ accountId, region, keyId }: KeyRef): KeyRef {
  return { accountId, region, keyId }
}
