/**
 * The types of cached records, with policies compiled and secrets opened, and the interface to look
 * them up.
 * @module
 */
import type { CompiledPolicy } from '../policy/compile.ts'
import type { AccountRecord, AccessKeyRecord } from '../model/access-key.ts'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../model/custom-key-store.ts'
import type { GroupRecord } from '../model/group.ts'
import type { IdentityRecord } from '../model/identity.ts'
import type { RoleRecord } from '../model/role.ts'
import type { UserRecord } from '../model/user.ts'
import type { ContextEntries } from '../operations/contract/call.ts'
import type { GrantRecord, GrantRef } from '../model/grant.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef, MaterialRecord } from '../model/key.ts'
import type {
  ExternalUsage,
  ProxyCredentialRecord,
  ServedProxyRecord,
} from '../model/served-proxy.ts'
import type { ServiceRecord } from '../model/service.ts'
import type { CachedGrants } from './cached-grants.ts'
import type { KeyObject } from 'node:crypto'

export interface CachedAccount {
  readonly record: AccountRecord
  /**
   * One list for each level of the organization; each level must allow. Empty if nothing limits
   * the account.
   */
  readonly serviceControl: readonly (readonly CompiledPolicy[])[]
  readonly resourceControl: readonly CompiledPolicy[]
  /** Rough size in memory. */
  readonly bytes: number
}

/** By account id. An account is absent if it does not exist or its row fails its tag. */
export type Accounts = ReadonlyMap<string, CachedAccount>

/** What the caller's own account grants to a caller. */
export interface Identity {
  readonly policies: readonly CompiledPolicy[]
  /** The permissions boundary: the policies allow nothing beyond it. */
  readonly boundary?: CompiledPolicy
  /** `aws:PrincipalTag/…` */
  readonly entries: ContextEntries
  /** Session policies. If present, one of them must allow. */
  readonly session?: readonly CompiledPolicy[]
}

export interface CachedIdentity<R extends IdentityRecord> extends Identity {
  readonly record: R
  /** Rough size in memory. */
  readonly bytes: number
}

export type CachedUser = CachedIdentity<UserRecord>

export type CachedGroup = CachedIdentity<GroupRecord>

export interface CachedRole extends CachedIdentity<RoleRecord> {
  /**
   * The trust policy: who may assume the role. Evaluated together with `record.trustPrincipals`.
   */
  readonly trust: CompiledPolicy
}

/** The default version of a managed policy, compiled. */
export interface CachedPolicy {
  readonly policy: CompiledPolicy
  /** Rough size in memory. */
  readonly bytes: number
}

export interface CachedKey {
  readonly record: KeyRecord
  readonly policy: CompiledPolicy
}

export interface CachedAccessKey {
  readonly record: AccessKeyRecord
  /** The HMAC key from which signing keys are derived. */
  readonly signingSecret: KeyObject
}

export interface CachedService {
  readonly record: ServiceRecord
  /** The HMAC key from which signing keys are derived. */
  readonly signingSecret: KeyObject
}

export interface CachedKeyStore {
  readonly record: CustomKeyStoreRecord
  /** The HMAC key from which signing keys are derived; present for external key stores. */
  readonly signingSecret?: KeyObject
}

/** A proxy that Trent serves, with everything that decides its calls. */
export interface CachedServedProxy {
  readonly record: ServedProxyRecord
  /** By access key id. */
  readonly credentials: ReadonlyMap<string, CachedProxyCredential>
  /** What each exported key can be used for, by key id. */
  readonly keys: ReadonlyMap<string, readonly ExternalUsage[]>
}

export interface CachedProxyCredential {
  readonly record: ProxyCredentialRecord
  /** The HMAC key from which signing keys are derived. */
  readonly signingSecret: KeyObject
}

export type CachedValue<V> = V | undefined | Promise<V | undefined>

export interface Lookup {
  /**
   * Applies every change that was committed before the call. Returns undefined if there is none.
   */
  refresh(): Promise<void> | undefined
  key(ref: KeyRef): CachedValue<CachedKey>
  alias(ref: AliasRef): CachedValue<AliasRecord>
  /** The names of a key's aliases: `alias/…`. */
  aliasNames(key: KeyRef): CachedValue<readonly string[]>
  material(materialId: string): CachedValue<MaterialRecord>
  accessKey(accessKeyId: string): CachedValue<CachedAccessKey>
  /** By the service's access key id. */
  service(accessKeyId: string): CachedValue<CachedService>
  account(accountId: string): CachedValue<CachedAccount>
  /** By unique id. */
  user(userId: string): CachedValue<CachedUser>
  /** By unique id, `AROA…` without a session. */
  role(roleId: string): CachedValue<CachedRole>
  group(groupId: string): CachedValue<CachedGroup>
  /** The default version, by the policy's unique id. */
  managedPolicy(policyId: string): CachedValue<CachedPolicy>
  keyStore(ref: CustomKeyStoreRef): CachedValue<CachedKeyStore>
  servedProxy(proxyId: string): CachedValue<CachedServedProxy>
  /** Hits and misses by kind of record. */
  counts(): Readonly<Record<string, { readonly hits: number; readonly misses: number }>>
  /** A grant by its id. */
  grant(ref: GrantRef): CachedValue<GrantRecord>
  /** The grants of a key that allow a call to one of the caller's names. */
  readonly grantsGiving: CachedGrants['find']
}
