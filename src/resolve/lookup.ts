/**
 * What the data plane reads, from memory: keys with their compiled policies, aliases, materials and
 * access keys. Caches follow the store's change numbers, so that no call sees what was true before a
 * change that was acknowledged before the call came in.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { CompiledPolicy } from '../authorize/compile.ts'
import type { AccessKeyRecord } from '../model/access-key.ts'
import type { KnownAccount } from './known-accounts.ts'
import type { KnownGroup, KnownPolicy, KnownRole, KnownUser } from './known-identities.ts'
import type { GrantRecord } from '../model/grant.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef, MaterialRecord } from '../model/key.ts'
import type { ServiceRecord } from '../model/service.ts'
import type { Change } from '../store/change.ts'
import type { Store } from '../store/store.ts'
import { createCache, type Cache } from './cache.ts'

export interface KnownKey {
  readonly record: KeyRecord
  readonly policy: CompiledPolicy
}

export interface KnownAccessKey {
  readonly record: AccessKeyRecord
  /** The HMAC key from which signing keys are derived. */
  readonly signingSecret: KeyObject
}

export interface KnownService {
  readonly record: ServiceRecord
  /** The HMAC key from which signing keys are derived. */
  readonly signingSecret: KeyObject
}

type Found<V> = V | undefined | Promise<V | undefined>

export interface Lookup {
  /** Catches up with every change that was committed before the call. */
  refresh(): Promise<void> | undefined
  key(ref: KeyRef): Found<KnownKey>
  alias(ref: AliasRef): Found<AliasRecord>
  /** The names of a key's aliases: `alias/…`. */
  aliasNames(key: KeyRef): Found<readonly string[]>
  material(materialId: string): Found<MaterialRecord>
  accessKey(accessKeyId: string): Found<KnownAccessKey>
  /** By its access key. */
  service(accessKeyId: string): Found<KnownService>
  account(accountId: string): Found<KnownAccount>
  /** By unique id. */
  user(userId: string): Found<KnownUser>
  /** By unique id, `AROA…` without a session. */
  role(roleId: string): Found<KnownRole>
  group(groupId: string): Found<KnownGroup>
  /** The version that holds, by the policy's unique id. */
  managedPolicy(policyId: string): Found<KnownPolicy>
  /** What was answered from memory, by kind. */
  counts(): Readonly<Record<string, { readonly hits: number; readonly misses: number }>>
  /** The grants of a key to one grantee, an ARN or a service principal; an empty list for none. */
  grants(key: KeyRef, grantee: string): Found<readonly GrantRecord[]>
}

export interface LookupPorts {
  readonly store: Store
  readonly openSecret: (accessKey: AccessKeyRecord) => KeyObject
  readonly openServiceSecret: (service: ServiceRecord) => KeyObject
  readonly compile: (policy: string) => CompiledPolicy
  readonly findAccount: (accountId: string) => Promise<KnownAccount | undefined>
  readonly findUser: (userId: string) => Promise<KnownUser | undefined>
  readonly findRole: (roleId: string) => Promise<KnownRole | undefined>
  readonly findGroup: (groupId: string) => Promise<KnownGroup | undefined>
  readonly findManagedPolicy: (policyId: string) => Promise<KnownPolicy | undefined>
  /** Hears that a material was changed; all of them when its id is left out. */
  readonly onForgottenMaterial: (materialId?: string) => void
}

/** Bytes of memory for each kind of thing. */
const limits = {
  keys: 64 * 2 ** 20,
  policies: 64 * 2 ** 20,
  aliases: 16 * 2 ** 20,
  aliasNames: 8 * 2 ** 20,
  materials: 16 * 2 ** 20,
  accessKeys: 4 * 2 ** 20,
  services: 1 * 2 ** 20,
  accounts: 16 * 2 ** 20,
  users: 32 * 2 ** 20,
  roles: 32 * 2 ** 20,
  groups: 16 * 2 ** 20,
  managedPolicies: 32 * 2 ** 20,
  grants: 64 * 2 ** 20,
} as const

/**
 * What a character of a policy takes in memory once it is compiled: measured, of policies that are all
 * patterns. Their writer decides how much that is.
 */
const compiledBytesPerCharacter = 80

/** Conditions look at no more values of one key: one more says that there are too many. */
const aliasNamesMax = 1001

export function createLookup(ports: LookupPorts): Lookup {
  const caches = createCaches(ports)
  const { keys, policies, aliases, aliasNames, materials, accessKeys, services, grants } = caches
  const { accounts, users, roles, groups, managedPolicies } = caches
  // A key does not hold its compiled policy: how much of those is kept is for their own cache to say.
  const withPolicy = (record: KeyRecord | undefined): Found<KnownKey> => {
    if (record === undefined) return undefined
    const join = (policy: CompiledPolicy | undefined): KnownKey | undefined =>
      policy && { record, policy }
    const policy = policies.get(record.policy)
    return policy instanceof Promise ? policy.then(join) : join(policy)
  }
  const forget = (change: Change): void => {
    switch (change.kind) {
      case 'key':
        return keys.forget(nameOf(change.accountId, change.region, change.id))
      case 'alias':
        // Neither the key that it left nor the one that it came to is told.
        aliasNames.clear()
        return aliases.forget(nameOf(change.accountId, change.region, change.id))
      case 'material':
        ports.onForgottenMaterial(change.id)
        return materials.forget(change.id)
      case 'access-key':
        return accessKeys.forget(change.id)
      case 'service':
        return services.forget(change.id)
      case 'user':
        return users.forget(change.id)
      case 'group':
        return groups.forget(change.id)
      case 'role':
        return roles.forget(change.id)
      case 'managed-policy':
        return managedPolicies.forget(change.id)
      case 'grant':
        return grants.forget(nameOf(change.accountId, change.region, change.id))
      case 'account':
        return accounts.forget(change.id)
      case 'trail':
      case 'oidc-provider':
        return undefined // nothing is cached of one
      case 'everything':
        ports.onForgottenMaterial()
        for (const cache of [keys, aliases, aliasNames, materials, accessKeys, services, grants]) {
          cache.clear()
        }
        for (const cache of [accounts, users, roles, groups, managedPolicies]) cache.clear()
    }
  }
  return {
    refresh: follower(ports.store, forget),
    counts: () =>
      Object.fromEntries(Object.entries(caches).map(([name, { counts }]) => [name, counts])),
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
    grants: ({ accountId, region, keyId }, grantee) =>
      grants.get(nameOf(accountId, region, `${keyId}/${grantee}`)),
  }
}

/** Neither an account nor a Region holds a slash, so what is after the second one is the id. */
function nameOf(accountId: string, region: string, id: string): string {
  return `${accountId}/${region}/${id}`
}

function partsOf(name: string): readonly [accountId: string, region: string, id: string] {
  const [accountId = '', region = '', ...rest] = name.split('/')
  return [accountId, region, rest.join('/')]
}

interface Caches {
  readonly keys: Cache<KeyRecord>
  /** Shared by content: most keys of an account carry the same one. */
  readonly policies: Cache<CompiledPolicy>
  readonly aliases: Cache<AliasRecord>
  readonly aliasNames: Cache<readonly string[]>
  readonly materials: Cache<MaterialRecord>
  readonly accessKeys: Cache<KnownAccessKey>
  readonly services: Cache<KnownService>
  readonly accounts: Cache<KnownAccount>
  readonly users: Cache<KnownUser>
  readonly roles: Cache<KnownRole>
  readonly groups: Cache<KnownGroup>
  readonly managedPolicies: Cache<KnownPolicy>
  /** By key and grantee: what others were granted on the key costs a caller nothing. */
  readonly grants: Cache<readonly GrantRecord[]>
}

function createCaches(ports: LookupPorts): Caches {
  const { store, openSecret, openServiceSecret, compile } = ports
  return {
    keys: createCache({
      bytesMax: limits.keys,
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
      bytesMax: limits.aliases,
      load: (key) => {
        const [accountId, region, name] = partsOf(key)
        return store.findAlias({ accountId, region, name })
      },
      sizeOf: () => 512,
    }),
    aliasNames: createCache({
      bytesMax: limits.aliasNames,
      load: async (name) => {
        const [accountId, region, targetKeyId] = partsOf(name)
        const page = { targetKeyId, limit: aliasNamesMax }
        const found = await store.listAliases(accountId, region, page)
        return found.map((alias) => alias.name)
      },
      sizeOf: (names) => 512 * (1 + names.length),
    }),
    materials: createCache({
      bytesMax: limits.materials,
      load: (materialId) => store.findMaterial(materialId),
      sizeOf: (material) => 512 + material.wrapped.length,
    }),
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
    ...createIdentityCaches(ports),
    grants: createCache({
      bytesMax: limits.grants,
      load: (name) => {
        const [accountId, region, id] = partsOf(name)
        const [keyId = '', ...grantee] = id.split('/')
        return store.grantsTo({ accountId, region, keyId }, grantee.join('/'))
      },
      sizeOf: (granted) => granted.reduce((bytes, grant) => bytes + grantBytes(grant), 0),
    }),
  }
}

/** By unique id, each with its policies compiled. */
function createIdentityCaches({
  findAccount,
  findUser,
  findRole,
  findGroup,
  findManagedPolicy,
}: LookupPorts): Pick<Caches, 'accounts' | 'users' | 'roles' | 'groups' | 'managedPolicies'> {
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

/** Constraints are the one part of a grant whose size its maker chooses. */
function grantBytes({ constraints }: GrantRecord): number {
  return 1024 + (constraints === undefined ? 0 : 4 * JSON.stringify(constraints).length)
}

/** Answers `refresh`: nothing to wait for while no change has come. */
function follower(store: Store, forget: (change: Change) => void): Lookup['refresh'] {
  let applied = store.epoch()
  let catching: Promise<void> | undefined
  const catchUp = async (): Promise<void> => {
    const target = store.epoch()
    const changes = await store.changesSince(applied)
    for (const change of changes ?? [everything]) forget(change)
    applied = Math.max(target, changes?.at(-1)?.seq ?? 0)
  }
  const refresh = async (): Promise<void> => {
    while (applied < store.epoch()) {
      catching ??= catchUp().finally(() => {
        catching = undefined
      })
      // oxlint-disable-next-line no-await-in-loop -- a change may have come meanwhile
      await catching
    }
  }
  return () => (applied < store.epoch() ? refresh() : undefined)
}

const everything: Change = { seq: 0, kind: 'everything', accountId: '', region: '', id: '' }
