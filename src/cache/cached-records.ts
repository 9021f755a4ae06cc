/**
 * What the caches hold: records with their policies compiled and their secrets opened.
 * @module
 */
import type { CompiledPolicy } from '../policy/compile.ts'
import type { AccountRecord, AccessKeyRecord } from '../model/access-key.ts'
import type { GroupRecord } from '../model/group.ts'
import type { IdentityRecord } from '../model/identity.ts'
import type { RoleRecord } from '../model/role.ts'
import type { UserRecord } from '../model/user.ts'
import type { ContextEntries } from '../operations/contract/call.ts'
import type { GrantRecord, GrantRef } from '../model/grant.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef, MaterialRecord } from '../model/key.ts'
import type { ServiceRecord } from '../model/service.ts'
import type { CachedGrants } from './cached-grants.ts'
import type { KeyObject } from 'node:crypto'

export interface CachedAccount {
  readonly record: AccountRecord
  /** Level by level; empty where nothing limits its principals. */
  readonly serviceControl: readonly (readonly CompiledPolicy[])[]
  readonly resourceControl: readonly CompiledPolicy[]
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

/** By account id; one that is not there is gone, or its row is not genuine. */
export type Accounts = ReadonlyMap<string, CachedAccount>

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

export interface CachedIdentity<R extends IdentityRecord> extends Identity {
  readonly record: R
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

export type CachedUser = CachedIdentity<UserRecord>

export type CachedGroup = CachedIdentity<GroupRecord>

export interface CachedRole extends CachedIdentity<RoleRecord> {
  /** Who may assume it; asked together with `record.trustPrincipals`. */
  readonly trust: CompiledPolicy
}

/** The version of a managed policy that holds, compiled. */
export interface CachedPolicy {
  readonly policy: CompiledPolicy
  /** Roughly what it takes in memory. */
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

export type Found<V> = V | undefined | Promise<V | undefined>

export interface Lookup {
  /** Catches up with every change that was committed before the call. */
  refresh(): Promise<void> | undefined
  key(ref: KeyRef): Found<CachedKey>
  alias(ref: AliasRef): Found<AliasRecord>
  /** The names of a key's aliases: `alias/…`. */
  aliasNames(key: KeyRef): Found<readonly string[]>
  material(materialId: string): Found<MaterialRecord>
  accessKey(accessKeyId: string): Found<CachedAccessKey>
  /** By its access key. */
  service(accessKeyId: string): Found<CachedService>
  account(accountId: string): Found<CachedAccount>
  /** By unique id. */
  user(userId: string): Found<CachedUser>
  /** By unique id, `AROA…` without a session. */
  role(roleId: string): Found<CachedRole>
  group(groupId: string): Found<CachedGroup>
  /** The version that holds, by the policy's unique id. */
  managedPolicy(policyId: string): Found<CachedPolicy>
  /** What was answered from memory, by kind. */
  counts(): Readonly<Record<string, { readonly hits: number; readonly misses: number }>>
  /** A grant by its id. */
  grant(ref: GrantRef): Found<GrantRecord>
  /** The grants of a key that give a call to one of the caller's names. */
  readonly grantsGiving: CachedGrants['find']
}
