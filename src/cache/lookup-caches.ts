/** The caches of the lookup, one for each kind of record: how each loads, and its size. @module */
import type { CompiledPolicy } from '../policy/compile.ts'
import type { GrantRecord } from '../model/grant.ts'
import type { AliasRecord, KeyRecord, MaterialRecord } from '../model/key.ts'
import { createCache, type Cache } from './cache.ts'
import type {
  CachedAccount,
  CachedGroup,
  CachedPolicy,
  CachedRole,
  CachedUser,
  CachedAccessKey,
  CachedKeyStore,
  CachedServedProxy,
  CachedService,
} from './cached-records.ts'
import type { LookupDependencies } from './lookup-dependencies.ts'

/** Bytes of memory for each kind of record. */
const limits = {
  policies: 64 * 2 ** 20,
  accessKeys: 4 * 2 ** 20,
  services: 1 * 2 ** 20,
  // The policies of the largest possible organization take 29 MB: two such accounts fit.
  accounts: 72 * 2 ** 20,
  users: 32 * 2 ** 20,
  roles: 32 * 2 ** 20,
  groups: 16 * 2 ** 20,
  managedPolicies: 32 * 2 ** 20,
  grants: 16 * 2 ** 20,
  keyStores: 4 * 2 ** 20,
  servedProxies: 8 * 2 ** 20,
} as const

/** Bytes for each key that the caches have room for: usual sizes, and some more. */
const bytesByKey = { keys: 2560, aliases: 1024, aliasNames: 1536, materials: 1280 } as const

/**
 * Bytes of memory for one character of a compiled policy, measured with policies that consist only
 * of patterns. The policy's author chooses how much of it is patterns.
 */
const compiledBytesPerCharacter = 80

/** Conditions read at most 1,000 values of one key; with one more, the list is too long. */
const aliasNamesMax = 1001

/** No account id or Region contains a slash, so everything after the second slash is the id. */
export function nameOf(accountId: string, region: string, id: string): string {
  return `${accountId}/${region}/${id}`
}

function partsOf(name: string): readonly [accountId: string, region: string, id: string] {
  const [accountId = '', region = '', ...rest] = name.split('/')
  return [accountId, region, rest.join('/')]
}

export interface Caches {
  readonly keys: Cache<KeyRecord>
  /** By content, because most keys of an account have the same policy. */
  readonly policies: Cache<CompiledPolicy>
  readonly aliases: Cache<AliasRecord>
  readonly aliasNames: Cache<readonly string[]>
  readonly materials: Cache<MaterialRecord>
  readonly accessKeys: Cache<CachedAccessKey>
  readonly services: Cache<CachedService>
  readonly accounts: Cache<CachedAccount>
  readonly users: Cache<CachedUser>
  readonly roles: Cache<CachedRole>
  readonly groups: Cache<CachedGroup>
  readonly managedPolicies: Cache<CachedPolicy>
  /** By id, for calls that name a grant. */
  readonly grants: Cache<GrantRecord>
  readonly keyStores: Cache<CachedKeyStore>
  readonly servedProxies: Cache<CachedServedProxy>
}

export function createCaches(dependencies: LookupDependencies): Caches {
  const { store, compile, cachedKeys } = dependencies
  return {
    keys: createCache({
      bytesMax: cachedKeys * bytesByKey.keys,
      load: (name) => {
        const [accountId, region, keyId] = partsOf(name)
        return store.findKey({ accountId, region, keyId })
      },
      sizeOf: ({ policy, description }) => 1024 + 2 * (policy.length + description.length),
    }),
    policies: createCache({
      bytesMax: limits.policies,
      load: (policy) => Promise.resolve(compile(policy)),
      sizeOf: (_, policy) => 4096 + compiledBytesPerCharacter * policy.length,
    }),
    aliases: createCache({
      bytesMax: cachedKeys * bytesByKey.aliases,
      load: (key) => {
        const [accountId, region, name] = partsOf(key)
        return store.findAlias({ accountId, region, name })
      },
      sizeOf: () => 512,
    }),
    aliasNames: createCache({
      bytesMax: cachedKeys * bytesByKey.aliasNames,
      load: async (name) => {
        const [accountId, region, targetKeyId] = partsOf(name)
        const page = { targetKeyId, limit: aliasNamesMax }
        const found = await store.listAliases(accountId, region, page)
        return found.map((alias) => alias.name)
      },
      sizeOf: (names) => 512 * (1 + names.length),
    }),
    materials: createCache({
      bytesMax: cachedKeys * bytesByKey.materials,
      load: (materialId) => store.findMaterial(materialId),
      sizeOf: (material) => 512 + material.wrapped.length,
    }),
    ...createSecretCaches(dependencies),
    ...createIdentityCaches(dependencies),
    grants: createCache({
      bytesMax: limits.grants,
      load: (name) => {
        const [accountId, region, id] = partsOf(name)
        const [keyId = '', grantId = ''] = id.split('/')
        return store.findGrant({ accountId, region, keyId, grantId })
      },
      sizeOf: grantBytes,
    }),
  }
}

/** Records with secrets, opened. */
function createSecretCaches({
  store,
  openSecret,
  openServiceSecret,
  openProxySecret,
  openProxyCredential,
}: LookupDependencies): Pick<Caches, 'accessKeys' | 'services' | 'keyStores' | 'servedProxies'> {
  return {
    accessKeys: createCache({
      bytesMax: limits.accessKeys,
      load: async (accessKeyId) => {
        const record = await store.findAccessKey(accessKeyId)
        return record && { record, signingSecret: openSecret(record) }
      },
      sizeOf: () => 1024,
    }),
    services: createCache({
      bytesMax: limits.services,
      load: async (accessKeyId) => {
        const record = await store.findServiceByKey(accessKeyId)
        return record && { record, signingSecret: openServiceSecret(record) }
      },
      sizeOf: ({ record }) => 1024 + 2 * JSON.stringify(record.hosts).length,
    }),
    keyStores: createCache({
      bytesMax: limits.keyStores,
      load: async (name) => {
        const [accountId, region, storeId] = partsOf(name)
        const record = await store.findKeyStore({ accountId, region, storeId })
        if (record?.proxy === undefined) return record && { record }
        return { record, signingSecret: openProxySecret(record, record.proxy.accessKeyId) }
      },
      sizeOf: () => 4096,
    }),
    servedProxies: createCache({
      bytesMax: limits.servedProxies,
      load: async (proxyId) => {
        const record = await store.findServedProxy({ proxyId })
        if (record === undefined) return undefined
        const credentials = await store.listProxyCredentials(record)
        const keys = await store.listExportedKeys(record)
        return {
          record,
          credentials: new Map(
            credentials.map((each) => [
              each.accessKeyId,
              { record: each, signingSecret: openProxyCredential(each) },
            ]),
          ),
          keys: new Map(keys.map(({ keyId, usages }) => [keyId, usages])),
        }
      },
      // Lists of limits have up to 50 entries of 2,048 characters each.
      sizeOf: ({ record, credentials, keys }) =>
        2048 +
        2 *
          JSON.stringify([record, ...[...credentials.values()].map((each) => each.record)]).length +
        256 * keys.size,
    }),
  }
}

/** By unique id, with policies compiled. */
function createIdentityCaches({
  findAccount,
  findUser,
  findRole,
  findGroup,
  findManagedPolicy,
}: LookupDependencies): Pick<
  Caches,
  'accounts' | 'users' | 'roles' | 'groups' | 'managedPolicies'
> {
  return {
    accounts: createCache({
      bytesMax: limits.accounts,
      load: findAccount,
      sizeOf: ({ bytes }) => bytes,
    }),
    users: createCache({
      bytesMax: limits.users,
      load: findUser,
      sizeOf: ({ bytes }) => bytes,
    }),
    groups: createCache({
      bytesMax: limits.groups,
      load: findGroup,
      sizeOf: ({ bytes }) => bytes,
    }),
    roles: createCache({
      bytesMax: limits.roles,
      load: findRole,
      sizeOf: ({ bytes }) => bytes,
    }),
    managedPolicies: createCache({
      bytesMax: limits.managedPolicies,
      load: findManagedPolicy,
      sizeOf: ({ bytes }) => bytes,
    }),
  }
}

/** Only the constraints of a grant have a size that the grant's creator chooses. */
function grantBytes({ constraints }: GrantRecord): number {
  return 1024 + (constraints === undefined ? 0 : 4 * JSON.stringify(constraints).length)
}
