/**
 * Looks up in memory what the data plane reads: keys with compiled policies, aliases, materials,
 * access keys. The caches follow the store's change numbers, so no call sees a state older than a
 * change that was acknowledged before the call arrived.
 * @module
 */
import type { CompiledPolicy } from '../policy/compile.ts'
import type { KeyRecord, KeyRef } from '../model/key.ts'
import { readGrantChangeId, type Change } from '../store/change.ts'
import type { Store } from '../store/store.ts'
import type { Cache } from './cache.ts'
import { createCaches, nameOf, type Caches } from './lookup-caches.ts'
import { createCachedGrants } from './cached-grants.ts'
import type { CachedKey, CachedValue, Lookup } from './cached-records.ts'
import type { LookupDependencies } from './lookup-dependencies.ts'

export function createLookup(dependencies: LookupDependencies): Lookup {
  const caches = createCaches(dependencies)
  const grantSets = createCachedGrants({
    store: dependencies.store,
    readGrants: dependencies.readGrants,
    onError: dependencies.onGrantsFailed,
    onUndecided: undecidedReporter(dependencies.onGrantsFailed),
    limits: { fewBytesMax: dependencies.cachedKeys * smallSetsBytes },
  })
  const { keys, policies, aliases, aliasNames, materials, accessKeys, services, grants } = caches
  const { accounts, users, roles, groups, managedPolicies, keyStores } = caches
  // A cached key does not hold its compiled policy: the policies' own cache bounds their memory.
  const withPolicy = (record: KeyRecord | undefined): CachedValue<CachedKey> => {
    if (record === undefined) return undefined
    const join = (policy: CompiledPolicy | undefined): CachedKey | undefined =>
      policy && { record, policy }
    const policy = policies.get(record.policy)
    return policy instanceof Promise ? policy.then(join) : join(policy)
  }
  const forget = forgetter(caches, dependencies.onForgottenMaterial)
  const takeIn = (changes: readonly Change[]): Promise<void> | undefined => {
    for (const change of changes) forget(change)
    if (changes.some(({ kind }) => kind === 'everything')) grantSets.clear()
    return grantSets.apply(changes)
  }
  return {
    refresh: follower(dependencies.store, takeIn),
    counts: () =>
      Object.fromEntries(
        Object.entries({ ...caches, grantSets }).map(([name, { counts }]) => [name, counts]),
      ),
    key({ accountId, region, keyId }) {
      const record = keys.get(nameOf(accountId, region, keyId))
      return record instanceof Promise ? record.then(withPolicy) : withPolicy(record)
    },
    alias: ({ accountId, region, name }) => aliases.get(nameOf(accountId, region, name)),
    aliasNames: ({ accountId, region, keyId }) => aliasNames.get(nameOf(accountId, region, keyId)),
    material: (materialId) => materials.get(materialId),
    accessKey: (accessKeyId) => accessKeys.get(accessKeyId),
    service: (accessKeyId) => services.get(accessKeyId),
    account: (accountId) => accounts.get(accountId),
    user: (userId) => users.get(userId),
    role: (roleId) => roles.get(roleId),
    group: (groupId) => groups.get(groupId),
    managedPolicy: (policyId) => managedPolicies.get(policyId),
    keyStore: ({ accountId, region, storeId }) => keyStores.get(nameOf(accountId, region, storeId)),
    servedProxy: (proxyId) => caches.servedProxies.get(proxyId),
    grant: ({ accountId, region, keyId, grantId }) =>
      grants.get(nameOf(accountId, region, `${keyId}/${grantId}`)),
    grantsGiving: (...asked) => grantSets.find(...asked),
  }
}

/** Bytes of small sets of grants for each key: a few callers, most of them without grants. */
const smallSetsBytes = 2048

const reportedMax = 1000

/** Reports each key and grantee once, because a caller decides how often it asks. */
function undecidedReporter(
  report: LookupDependencies['onGrantsFailed'],
): (key: KeyRef, grantee: string) => void {
  const reported = new Set<string>()
  return ({ keyId }, grantee) => {
    const message = `too many grants of key ${keyId} to ${grantee} look alike to decide a call`
    if (reported.has(message) || reported.size >= reportedMax) return
    reported.add(message)
    report(new Error(message))
  }
}

/** Drops the cache entries that a change affects. */
function forgetter(
  caches: Caches,
  onForgottenMaterial: LookupDependencies['onForgottenMaterial'],
): (change: Change) => void {
  const { keys, aliases, aliasNames, materials, accessKeys, services, grants } = caches
  const { accounts, users, roles, groups, managedPolicies, keyStores } = caches
  return ({ kind, accountId, region, id }) => {
    switch (kind) {
      case 'key':
        return keys.forget(nameOf(accountId, region, id))
      case 'alias':
        // The change names neither the alias's old key nor its new one.
        aliasNames.clear()
        return aliases.forget(nameOf(accountId, region, id))
      case 'material':
        onForgottenMaterial(id)
        return materials.forget(id)
      case 'access-key':
        return accessKeys.forget(id)
      case 'service':
        return services.forget(id)
      case 'user':
        return users.forget(id)
      case 'group':
        return groups.forget(id)
      case 'role':
        return roles.forget(id)
      case 'managed-policy':
        return managedPolicies.forget(id)
      case 'grant': {
        const { keyId, grantId } = readGrantChangeId(id)
        // A deleted key: the change does not name each grant.
        if (grantId === undefined) return grants.clear()
        return grants.forget(nameOf(accountId, region, `${keyId}/${grantId}`))
      }
      case 'account':
        return accounts.forget(id)
      case 'trail':
      case 'oidc-provider':
        return undefined // oidc providers and trails are not cached
      case 'key-store':
        return keyStores.forget(nameOf(accountId, region, id))
      case 'served-proxy':
      case 'proxy-credential':
      case 'exported-key':
        return caches.servedProxies.forget(id.split('/')[0] ?? '')
      case 'everything':
        onForgottenMaterial()
        for (const cache of Object.values(caches) as readonly Cache<unknown>[]) cache.clear()
    }
  }
}

/** Makes `refresh`, which returns undefined while there is no change to apply. */
function follower(
  store: Store,
  takeIn: (changes: readonly Change[]) => Promise<void> | undefined,
): Lookup['refresh'] {
  let applied = store.epoch()
  let catching: Promise<void> | undefined
  const catchUp = async (): Promise<void> => {
    const target = store.epoch()
    const changes = await store.changesSince(applied)
    await takeIn(changes ?? [everything])
    applied = Math.max(target, changes?.at(-1)?.seq ?? 0)
  }
  const refresh = async (): Promise<void> => {
    while (applied < store.epoch()) {
      catching ??= catchUp().finally(() => {
        catching = undefined
      })
      await catching
    }
  }
  return () => (applied < store.epoch() ? refresh() : undefined)
}

const everything: Change = { seq: 0, kind: 'everything', accountId: '', region: '', id: '' }
