/**
 * The facts behind one decision: the names of everything that was read to make it. Changes committed since
 * the first fact was read are compared with these names, which shows whether the decision still holds.
 *
 * INVARIANT (one moment): a decision counts only if no fact behind it has changed between the first one
 * read and the last. Then all of them were true together.
 * @module
 */
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type { CustomKeyStoreRef } from '../model/custom-key-store.ts'
import type { GrantRef } from '../model/grant.ts'
import type { AliasRef, KeyRef } from '../model/key.ts'
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
  /**
   * Whether none of the facts has changed since the first was read, as far as `log` knows. For a
   * decision that allows, new grants to the caller do not matter: a grant only gives permissions.
   */
  hold(
    log: Pick<Store, 'changesSince'> & Partial<Pick<Store, 'epoch'>>,
    decision: 'allowed' | 'refused',
  ): Awaitable<boolean>
}

/** @param since the number of the last change that was committed before the first fact was read */
export function openFacts(sources: FactSources, since: number): Facts {
  const notes = new Notes()
  let heldAt = since
  const check = async (log: Pick<Store, 'changesSince'>, isRefused: boolean): Promise<boolean> => {
    const changes = await log.changesSince(heldAt)
    if (changes === undefined) return false
    const names = notes.names()
    if (changes.some((change) => touches(change, names, isRefused))) return false
    heldAt = changes.at(-1)?.seq ?? heldAt
    return true
  }
  return {
    lookup: new NotingLookup(sources.lookup, notes),
    store: notingReads(sources.store, notes),
    grantTokens: notingTokens(sources.grantTokens, notes),
    findGrant(ref) {
      notes.add(grantOf, ref)
      return sources.findGrant(ref)
    },
    noteCaller: (caller) => notes.add(credentialsOf, caller),
    // Without any change, the names of the facts do not matter.
    hold: (log, decision) => log.epoch?.() === heldAt || check(log, decision === 'refused'),
  }
}

/** What was read. Names are made only when changes have to be compared with them: few calls need that. */
class Notes {
  /** Pairs in one flat list: a function that names a fact, and its argument. */
  readonly #noted: unknown[] = []

  add<Of>(nameOf: (of: Of) => string | readonly string[], of: Of): void {
    this.#noted.push(nameOf, of)
  }

  names(): ReadonlySet<string> {
    const names = new Set<string>()
    for (let at = 0; at < this.#noted.length; at += 2) {
      const nameOf = this.#noted[at] as (of: unknown) => string | readonly string[] // from `add`
      const made = nameOf(this.#noted[at + 1])
      for (const name of typeof made === 'string' ? [made] : made) names.add(name)
    }
    return names
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
function grantsTo({ key, grantee }: { readonly key: KeyRef; readonly grantee: string }): string {
  const { accountId, region, keyId } = key
  return `grants ${accountId}/${region}/${keyId}/${grantee}`
}

function grantOf({ accountId, region, keyId, grantId }: GrantRef): string {
  return placed('grant', accountId, region, `${keyId}/${grantId}`)
}

function touches(change: Change, names: ReadonlySet<string>, isRefused: boolean): boolean {
  if (change.kind === 'everything') return true
  const { always, ifRefused } = changedNames(change)
  if (always.some((name) => names.has(name))) return true
  return isRefused && ifRefused !== undefined && names.has(ifRefused)
}

/** The names of the facts that a change may be about. */
interface ChangedNames {
  readonly always: readonly string[]
  readonly ifRefused?: string
}

/** Many calls compare their facts with the same change. */
const namesOfChanges = new WeakMap<Change, ChangedNames>()

function changedNames(change: Change): ChangedNames {
  const known = namesOfChanges.get(change)
  if (known !== undefined) return known
  const made = change.kind === 'grant' ? grantNames(change) : otherNames(change)
  namesOfChanges.set(change, made)
  return made
}

function grantNames({ accountId, region, id }: Change): ChangedNames {
  const { keyId, grantId, grantee = '' } = readGrantChangeId(id)
  // The deletion of a key is a separate change.
  if (grantId === undefined) return { always: [] }
  const key = { accountId, region, keyId }
  return { always: [grantOf({ ...key, grantId })], ifRefused: grantsTo({ key, grantee }) }
}

function otherNames({ kind, accountId, region, id }: Change): ChangedNames {
  // A proxy that Trent serves is one fact, with its credentials and its keys.
  if (kind === 'proxy-credential' || kind === 'exported-key') {
    return { always: [servedProxyOf(id.split('/')[0] ?? '')] }
  }
  return { always: [one(kind, id), anyOf(kind, accountId), placed(kind, accountId, region, id)] }
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

const keyOf = ({ accountId, region, keyId }: KeyRef): string =>
  placed('key', accountId, region, keyId)
const aliasOf = ({ accountId, region, name }: AliasRef): string =>
  placed('alias', accountId, region, name)
const aliasesOf = ({ accountId }: KeyRef): string => anyOf('alias', accountId)
const materialOf = (id: string): string => one('material', id)
const accountOf = (id: string): string => one('account', id)
const userOf = (id: string): string => one('user', id)
const anyUserOf = (accountId: string): string => anyOf('user', accountId)
const roleOf = (id: string): string => one('role', id)
const anyRoleOf = (accountId: string): string => anyOf('role', accountId)
const groupOf = (id: string): string => one('group', id)
const anyGroupOf = (accountId: string): string => anyOf('group', accountId)
const policyOf = (id: string): string => one('managed-policy', id)
const servedProxyOf = (id: string): string => one('served-proxy', id)
const grantAndKeyOf = (grant: GrantRef): string[] => [keyOf(grant), grantOf(grant)]

/** One object for each call, with methods that all calls share. */
class NotingLookup implements Lookup {
  readonly #lookup: Lookup
  readonly #notes: Notes

  constructor(lookup: Lookup, notes: Notes) {
    this.#lookup = lookup
    this.#notes = notes
  }

  refresh(): ReturnType<Lookup['refresh']> {
    return this.#lookup.refresh()
  }

  counts(): ReturnType<Lookup['counts']> {
    return this.#lookup.counts()
  }

  accessKey(accessKeyId: string): ReturnType<Lookup['accessKey']> {
    return this.#lookup.accessKey(accessKeyId)
  }

  service(accessKeyId: string): ReturnType<Lookup['service']> {
    return this.#lookup.service(accessKeyId)
  }

  key(ref: KeyRef): ReturnType<Lookup['key']> {
    this.#notes.add(keyOf, ref)
    return this.#lookup.key(ref)
  }

  alias(ref: AliasRef): ReturnType<Lookup['alias']> {
    this.#notes.add(aliasOf, ref)
    return this.#lookup.alias(ref)
  }

  aliasNames(ref: KeyRef): ReturnType<Lookup['aliasNames']> {
    this.#notes.add(aliasesOf, ref)
    return this.#lookup.aliasNames(ref)
  }

  material(materialId: string): ReturnType<Lookup['material']> {
    this.#notes.add(materialOf, materialId)
    return this.#lookup.material(materialId)
  }

  account(accountId: string): ReturnType<Lookup['account']> {
    this.#notes.add(accountOf, accountId)
    return this.#lookup.account(accountId)
  }

  user(userId: string): ReturnType<Lookup['user']> {
    this.#notes.add(userOf, userId)
    return this.#lookup.user(userId)
  }

  role(roleId: string): ReturnType<Lookup['role']> {
    this.#notes.add(roleOf, roleId)
    return this.#lookup.role(roleId)
  }

  group(groupId: string): ReturnType<Lookup['group']> {
    this.#notes.add(groupOf, groupId)
    return this.#lookup.group(groupId)
  }

  managedPolicy(policyId: string): ReturnType<Lookup['managedPolicy']> {
    this.#notes.add(policyOf, policyId)
    return this.#lookup.managedPolicy(policyId)
  }

  /** It decides nothing: the states of its keys do. */
  keyStore(ref: CustomKeyStoreRef): ReturnType<Lookup['keyStore']> {
    return this.#lookup.keyStore(ref)
  }

  servedProxy(proxyId: string): ReturnType<Lookup['servedProxy']> {
    this.#notes.add(servedProxyOf, proxyId)
    return this.#lookup.servedProxy(proxyId)
  }

  grant(ref: GrantRef): ReturnType<Lookup['grant']> {
    this.#notes.add(grantOf, ref)
    return this.#lookup.grant(ref)
  }

  grantsGiving(
    ...[key, name, question, most]: Parameters<Lookup['grantsGiving']>
  ): ReturnType<Lookup['grantsGiving']> {
    return andThen(this.#lookup.grantsGiving(key, name, question, most), (found) => {
      // The found grant goes on giving the permission, whatever happens to the grantee's other grants.
      for (const { grantId } of found) this.#notes.add(grantOf, { ...refOf(key), grantId })
      if (found.length === 0) this.#notes.add(grantsTo, { key, grantee: name.grantee })
      return found
    })
  }
}

/** Found rows are noted by their ids, so that other changes in the account do not matter. */
function notingReads(store: IdentityReads, notes: Notes): IdentityReads {
  return {
    findUser(userId) {
      notes.add(userOf, userId)
      return store.findUser(userId)
    },
    async findUserByName(accountId, name) {
      const found = await store.findUserByName(accountId, name)
      if (found === undefined) notes.add(anyUserOf, accountId)
      else notes.add(userOf, found.userId)
      return found
    },
    async findRoleByName(accountId, name) {
      const found = await store.findRoleByName(accountId, name)
      if (found === undefined) notes.add(anyRoleOf, accountId)
      else notes.add(roleOf, found.roleId)
      return found
    },
    async findGroupByName(accountId, name) {
      const found = await store.findGroupByName(accountId, name)
      if (found === undefined) notes.add(anyGroupOf, accountId)
      else notes.add(groupOf, found.groupId)
      return found
    },
    findManagedPolicy(policyId) {
      notes.add(policyOf, policyId)
      return store.findManagedPolicy(policyId)
    },
  }
}

function notingTokens(
  tokens: FactSources['grantTokens'],
  notes: Notes,
): FactSources['grantTokens'] {
  return {
    find: (token, region) =>
      andThen(tokens.find(token, region), (grant) => {
        notes.add(grantAndKeyOf, grant)
        return grant
      }),
  }
}

function refOf({ accountId, region, keyId }: KeyRef): KeyRef {
  return { accountId, region, keyId }
}
