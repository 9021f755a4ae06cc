/**
 * The interface through which everything stored is read and changed. Every engine implements it
 * under the same tests. All methods are asynchronous. Nothing here assumes a single process,
 * account or Region.
 *
 * INVARIANT (bound rows): a row with a wrong tag counts as absent and is reported to `onForgedRow`.
 * INVARIANT (ordered changes): every change has a number, and changes commit in the order of their
 * numbers.
 * @module
 */
import type { AccessKeyRecord, AccessKeyUse, AccountRecord } from '../model/access-key.ts'
import type { GrantRecord } from '../model/grant.ts'
import type { GroupRecord } from '../model/group.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef, MaterialRecord } from '../model/key.ts'
import type {
  MaterialStateRecord,
  MaterialStateRef,
  NewMaterialState,
  RotationType,
} from '../model/key-material.ts'
import type { LastUsage, LostUsage, NotedUsage } from '../model/last-usage.ts'
import type { ManagedPolicyRecord } from '../model/managed-policy.ts'
import type { Organization } from '../model/organization.ts'
import type { OutgoingEvent } from '../model/outgoing-event.ts'
import type { OidcProviderRecord, OidcProviderRef } from '../model/oidc-provider.ts'
import type { RoleRecord, RoleUse } from '../model/role.ts'
import type { ServiceRecord, ServiceRef } from '../model/service.ts'
import type { TrailRecord, TrailRef } from '../model/trail.ts'
import type { KeyFigures } from '../model/key-figures.ts'
import type { UserRecord } from '../model/user.ts'
import type { DeliveryStore } from './delivery-store.ts'
import type { ChangeReads } from './change.ts'
import type { BlockPage, BlockRef, IndexPosition } from './tables/event-index-rows.ts'
import type { Figures } from './figures.ts'
import type { GrantReads } from './tables/grant-reads.ts'
import type { OutgoingEventStore } from './outgoing-event-store.ts'
import type { Page } from './page.ts'

/** The row that a change was decided on has changed since. Decide again. */
export class StaleRow extends Error {}

/** A unique name is taken, such as an alias or an access key id. */
export class DuplicateRow extends Error {}

/**
 * Selects identities that hold a managed policy: attached, as permissions boundary, or either if
 * `as` is absent.
 */
export interface Holding {
  readonly policyId: string
  readonly as?: 'attached' | 'boundary'
}

/** Selects the identities of a page. */
export type IdentityPage = Page & { readonly pathPrefix: string; readonly holding?: Holding }

/** A page of what is due at a time, the longest due first. */
export interface DuePage<T> {
  /** Milliseconds since the epoch. */
  readonly dueBy: number
  /** The last item of the page before. If absent, the page starts at the beginning. */
  readonly after?: T
  readonly limit: number
}

export interface StoreReads extends GrantReads {
  findAccount(accountId: string): Promise<AccountRecord | undefined>
  /** Accounts, ordered by id. */
  listAccounts(page: Page): Promise<readonly AccountRecord[]>
  findAccessKey(accessKeyId: string): Promise<AccessKeyRecord | undefined>
  /** An account's access keys, ordered by id. */
  listAccessKeys(accountId: string): Promise<readonly AccessKeyRecord[]>
  /** A principal's access keys, ordered by id. */
  listAccessKeysOf(principalId: string): Promise<readonly AccessKeyRecord[]>
  findService(ref: ServiceRef): Promise<ServiceRecord | undefined>
  findServiceByKey(accessKeyId: string): Promise<ServiceRecord | undefined>
  /** All services by name and Region: operators create few. */
  listServices(): Promise<readonly ServiceRecord[]>
  findUser(userId: string): Promise<UserRecord | undefined>
  /** The name exactly as given; case matters. */
  findUserByName(accountId: string, name: string): Promise<UserRecord | undefined>
  /** Users of an account by name, filtered by `pathPrefix` and `holding`. */
  listUsers(accountId: string, page: IdentityPage): Promise<readonly UserRecord[]>
  countUsers(accountId: string): Promise<number>
  findGroup(groupId: string): Promise<GroupRecord | undefined>
  /** The name exactly as given; case matters. */
  findGroupByName(accountId: string, name: string): Promise<GroupRecord | undefined>
  /** Groups of an account by name, filtered by `pathPrefix` and `holding`. */
  listGroups(accountId: string, page: IdentityPage): Promise<readonly GroupRecord[]>
  countGroups(accountId: string): Promise<number>
  /** The users of a group, by name. */
  listMembers(accountId: string, groupId: string, page: Page): Promise<readonly UserRecord[]>
  findRole(roleId: string): Promise<RoleRecord | undefined>
  /** The name exactly as given; case matters. */
  findRoleByName(accountId: string, name: string): Promise<RoleRecord | undefined>
  /** Roles of an account by name, filtered by `pathPrefix` and `holding`. */
  listRoles(accountId: string, page: IdentityPage): Promise<readonly RoleRecord[]>
  countRoles(accountId: string): Promise<number>
  findManagedPolicy(policyId: string): Promise<ManagedPolicyRecord | undefined>
  /** The name exactly as given; case matters. */
  findManagedPolicyByName(accountId: string, name: string): Promise<ManagedPolicyRecord | undefined>
  /** Managed policies of an account by name. */
  listManagedPolicies(
    accountId: string,
    page: Page & {
      readonly pathPrefix: string
      readonly onlyAttached: boolean
      /** Only policies that are in use as a permissions boundary. */
      readonly onlyBoundaries?: boolean
    },
  ): Promise<readonly ManagedPolicyRecord[]>
  countManagedPolicies(accountId: string): Promise<number>
  findOidcProvider(ref: OidcProviderRef): Promise<OidcProviderRecord | undefined>
  /** All providers of an account by name: IAM does not page them. */
  listOidcProviders(accountId: string): Promise<readonly OidcProviderRecord[]>
  findKey(ref: KeyRef): Promise<KeyRecord | undefined>
  /** All multi-Region keys with this id, by Region. Empty for a single-Region key. */
  listRelatedKeys(key: Pick<KeyRef, 'accountId' | 'keyId'>): Promise<readonly KeyRecord[]>
  /** An account's multi-Region keys in all Regions, by id and Region. */
  listMultiRegionKeys(accountId: string, limit: number): Promise<readonly KeyRecord[]>
  /** Keys of an account and Region, by key id. */
  listKeys(accountId: string, region: string, page: Page): Promise<readonly KeyRecord[]>
  /** The Regions in which an account has keys. */
  listKeyRegions(accountId: string): Promise<readonly string[]>
  /** Keys of all accounts and Regions that are past their waiting period before deletion. */
  listKeysToDelete(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Enabled keys of all accounts and Regions with automatic rotation due, without replicas. */
  listKeysToRotate(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Keys in any state with an on-demand rotation started by then, without replicas. */
  listStartedRotations(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Keys that became Creating or Updating by then. */
  listTransitions(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Customer managed keys of an account and Region. */
  countKeys(accountId: string, region: string): Promise<number>
  findMaterial(materialId: string): Promise<MaterialRecord | undefined>
  /** Every material of a key, oldest first. The replicas of a multi-Region key share them. */
  listMaterials(accountId: string, keyId: string): Promise<readonly MaterialRecord[]>
  findMaterialState(ref: MaterialStateRef): Promise<MaterialStateRecord | undefined>
  /**
   * The states of a key's materials in its Region, in order; `after` is an ordinal. Empty for a key
   * from before states were stored: `onlyMaterialOf` returns its state.
   */
  listMaterialStates(
    key: KeyRef,
    page: Page & { readonly onlyRotations?: boolean },
  ): Promise<readonly MaterialStateRecord[]>
  /** How often the key was rotated in this way. */
  countRotations(key: KeyRef, type: RotationType): Promise<number>
  /** Expired imported materials of all accounts and Regions. */
  listExpiredMaterials(page: DuePage<MaterialStateRecord>): Promise<readonly MaterialStateRecord[]>
  findAlias(ref: AliasRef): Promise<AliasRecord | undefined>
  /** Aliases of an account and Region by name; those of one key if `targetKeyId` is given. */
  listAliases(
    accountId: string,
    region: string,
    page: Page & { readonly targetKeyId?: string },
  ): Promise<readonly AliasRecord[]>
  countAliases(key: KeyRef): Promise<number>
  /** Counts the aliases of an account and Region, without those that AWS creates. */
  countAllAliases(accountId: string, region: string): Promise<number>
  findTrail(ref: TrailRef): Promise<TrailRecord | undefined>
  /** All trails of an account by home Region and name. A quota keeps them few. */
  listTrails(accountId: string): Promise<readonly TrailRecord[]>
  /** Trails of all accounts; `after` is `account/home Region/name`. */
  listEveryTrail(page: Page): Promise<readonly TrailRecord[]>
}

/** A grant that is not stored yet. */
export type NewGrant = Omit<GrantRecord, 'rowVersion'>

type Changeable<T, Fixed extends keyof T> = {
  readonly [K in Exclude<keyof T, Fixed | 'rowVersion'>]?: T[K] | undefined
}

/** The members of a key that a change may set. `undefined` clears an optional member. */
export type KeyChanges = Changeable<
  KeyRecord,
  keyof KeyRef | 'spec' | 'usage' | 'origin' | 'manager' | 'createdAt'
>

/** The members of a role that a change may set. `undefined` clears an optional member. */
export type RoleChanges = Changeable<
  RoleRecord,
  'roleId' | 'accountId' | 'name' | 'path' | 'serviceLinked' | 'createdAt'
>

/** The members of a trail that a change may set. `undefined` clears an optional member. */
export type TrailChanges = Changeable<TrailRecord, keyof TrailRef | 'createdAt'>

/**
 * The members of a material's state that a change may set. `undefined` clears an optional member.
 */
export type MaterialStateChanges = Changeable<
  MaterialStateRecord,
  keyof MaterialStateRef | 'ordinal'
>

/**
 * The inside of one transaction. It may run again from the start, so its code must change nothing
 * but the store.
 */
export interface Transaction extends StoreReads, ChangeReads {
  insertAccount(account: Omit<AccountRecord, 'rowVersion'>): Promise<void>
  /**
   * `undefined` clears a member.
   * @throws {StaleRow}
   * @throws {DuplicateRow} if another account has the alias
   */
  updateAccount(
    account: AccountRecord,
    changes: {
      readonly alias?: string | undefined
      readonly organization?: Organization | undefined
    },
  ): Promise<AccountRecord>
  /** @throws {DuplicateRow} */
  insertAccessKey(accessKey: Omit<AccessKeyRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateAccessKey(
    accessKey: AccessKeyRecord,
    changes: { readonly status: AccessKeyRecord['status'] },
  ): Promise<AccessKeyRecord>
  /** @throws {StaleRow} */
  deleteAccessKey(accessKey: AccessKeyRecord): Promise<void>
  /** @throws {DuplicateRow} if it is registered in that Region */
  insertService(service: Omit<ServiceRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  deleteService(service: ServiceRecord): Promise<void>
  /** @throws {DuplicateRow} if a user has the same name apart from case */
  insertUser(user: Omit<UserRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateUser(
    user: UserRecord,
    changes: Partial<
      Pick<
        UserRecord,
        | 'name'
        | 'path'
        | 'inlinePolicies'
        | 'attachedPolicies'
        | 'tags'
        | 'groups'
        | 'sessionsRevokedAt'
      >
    > & {
      readonly permissionsBoundary?: string | undefined
    },
  ): Promise<UserRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmUser(user: UserRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteUser(user: UserRecord): Promise<void>
  /** @throws {DuplicateRow} if a group has the same name apart from case */
  insertGroup(group: Omit<GroupRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} @throws {DuplicateRow} if its new name is taken */
  updateGroup(
    group: GroupRecord,
    changes: Partial<Pick<GroupRecord, 'name' | 'path' | 'inlinePolicies' | 'attachedPolicies'>>,
  ): Promise<GroupRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmGroup(group: GroupRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteGroup(group: GroupRecord): Promise<void>
  /** @throws {DuplicateRow} if a role has the same name apart from case */
  insertRole(role: Omit<RoleRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateRole(role: RoleRecord, changes: RoleChanges): Promise<RoleRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmRole(role: RoleRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteRole(role: RoleRecord): Promise<void>
  /** @throws {DuplicateRow} if a policy has the same name apart from case */
  insertManagedPolicy(policy: Omit<ManagedPolicyRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateManagedPolicy(
    policy: ManagedPolicyRecord,
    changes: Partial<
      Pick<
        ManagedPolicyRecord,
        | 'versions'
        | 'defaultVersionId'
        | 'nextVersion'
        | 'attachments'
        | 'boundaries'
        | 'tags'
        | 'updatedAt'
      >
    >,
  ): Promise<ManagedPolicyRecord>
  /** @throws {StaleRow} */
  deleteManagedPolicy(policy: ManagedPolicyRecord): Promise<void>
  /** @throws {DuplicateRow} */
  insertOidcProvider(provider: Omit<OidcProviderRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateOidcProvider(
    provider: OidcProviderRecord,
    changes: Partial<Pick<OidcProviderRecord, 'clientIds' | 'thumbprints' | 'tags'>>,
  ): Promise<void>
  /** @throws {StaleRow} */
  deleteOidcProvider(provider: OidcProviderRecord): Promise<void>
  insertKey(key: Omit<KeyRecord, 'rowVersion'>): Promise<KeyRecord>
  /** @throws {StaleRow} if the stored row is not at `key.rowVersion` */
  updateKey(key: KeyRecord, changes: KeyChanges): Promise<KeyRecord>
  /** Locks the row in its present version until commit. @throws {StaleRow} */
  confirmKey(key: KeyRecord): Promise<void>
  /**
   * Deletes the key with its aliases, grants, material states and last use. Deletes its materials
   * too, unless another Region has a key with the same id.
   * @throws {StaleRow}
   */
  deleteKey(key: KeyRecord, deletedAt: number): Promise<void>
  insertMaterial(material: MaterialRecord): Promise<void>
  /**
   * Deletes the bytes of a material, unless another Region's key has it imported. The rest of the
   * row stays, so that ciphertexts can still be matched to their key.
   */
  emptyMaterial(material: MaterialStateRef): Promise<void>
  /** Gives a deleted material its bytes back. */
  refillMaterial(material: MaterialRecord): Promise<void>
  /**
   * Deletes a material under which nothing was encrypted, unless another Region's key has it
   * imported.
   */
  deleteMaterial(material: MaterialStateRef): Promise<void>
  /**
   * This method and the two below must be followed by a change of the key's row, which serializes
   * concurrent calls.
   */
  insertMaterialState(material: NewMaterialState): Promise<MaterialStateRecord>
  /** @throws {StaleRow} */
  updateMaterialState(
    material: MaterialStateRecord,
    changes: MaterialStateChanges,
  ): Promise<MaterialStateRecord>
  /** @throws {StaleRow} */
  deleteMaterialState(material: MaterialStateRecord): Promise<void>
  /** @throws {DuplicateRow} */
  insertAlias(alias: Omit<AliasRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateAlias(
    alias: AliasRecord,
    changes: { readonly targetKeyId: string; readonly updatedAt: number },
  ): Promise<AliasRecord>
  /** @throws {StaleRow} */
  deleteAlias(alias: AliasRecord): Promise<void>
  insertGrant(grant: NewGrant): Promise<GrantRecord>
  /** Updates a renamed user's name in the grants to it and in those that it may retire. */
  renameGrantee(user: UserRecord): Promise<void>
  /** @throws {StaleRow} if it no longer exists */
  deleteGrant(grant: GrantRecord): Promise<void>
  /** @throws {DuplicateRow} if the account has a trail of that name in its home Region */
  insertTrail(trail: Omit<TrailRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateTrail(trail: TrailRecord, changes: TrailChanges): Promise<TrailRecord>
  /** @throws {StaleRow} */
  deleteTrail(trail: TrailRecord): Promise<void>
  /**
   * Deletes everything but the deployment, the account in `keep` and the access keys of its root
   * user.
   */
  empty(keep: { readonly accountId: string }): Promise<void>
  /**
   * Stores the audit record of the change. Call it after the writes of the change.
   * @returns the record as stored, with the number of the change
   */
  insertOutbox(row: OutboxRow): Promise<string>
  insertOutgoingEvent(event: OutgoingEvent): Promise<void>
  /** Skips the numbers up to this one: they belong to changes that were lost. */
  skipChanges(upTo: number): Promise<void>
}

/** Counts of deleted keys, by two stages of deletion. */
export interface DeletedKeys {
  /**
   * Keys of which this database holds only a tombstone. A multi-Region key counts once in each
   * Region.
   */
  readonly gone: number
  /** Of those that had material: keys that no copy of the database can open any more. */
  readonly shredded: number
  /** Existing seals of root keys that can open such keys in a copy from before the deletion. */
  readonly openedBySeals: readonly { readonly generation: number; readonly keys: number }[]
}

/** Counts of imported materials that were deleted from existing keys and not imported again. */
export interface DeletedMaterials {
  readonly gone: number
  readonly shredded: number
  readonly openedBySeals: readonly { readonly generation: number; readonly materials: number }[]
}

/** A finished audit record that has not been seen in the journal yet. */
export interface OutboxRow {
  /** A UUID, fixed when the record was made. */
  readonly eventId: string
  /** JSON, one line. */
  readonly record: string
  /** The journal stream and the segment that was open: no earlier segment contains the record. */
  readonly stream: string
  readonly segment: number
}

export interface Store extends StoreReads, ChangeReads, DeliveryStore, OutgoingEventStore, Figures {
  /**
   * Runs `work` in one transaction, and again from the start if the database asks for it. The
   * transaction ends by taking the next change number. The epoch is raised before this returns.
   */
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** The number of the last committed change, read from memory without waiting. */
  epoch(): number
  /**
   * Gives the log of changes its first row where it was made anew. Each start calls it.
   * @returns whether it was made anew
   */
  beginChangeLog(): Promise<boolean>
  listOutbox(limit: number): Promise<readonly OutboxRow[]>
  deleteOutbox(eventIds: readonly string[]): Promise<void>
  countDeletedKeys(): Promise<DeletedKeys>
  countDeletedMaterials(): Promise<DeletedMaterials>
  /**
   * Removes the bytes of materials deleted since the last call, also by an earlier process, from
   * all files of the database. It cannot remove copies that the file system or the disk keeps.
   */
  scrub(): Promise<void>
  /** The latest time at which anything was decided; undefined at the first start. */
  findClockMark(): Promise<number | undefined>
  saveClockMark(reached: number): Promise<void>
  /**
   * The time since when uses of keys are recorded: `now` on the first call, and the same ever
   * after. If its row is forged, tracking begins again, so that no key counts as idle before `now`.
   */
  trackUsageSince(now: number): Promise<number>
  /** Undefined for a key that was not used or does not exist. */
  findLastUsage(key: KeyRef): Promise<LastUsage | LostUsage | undefined>
  /**
   * Saves each use that is not older than the stored one, in one transaction without a change
   * number. Each key may occur once. Keys that no longer exist are ignored.
   */
  saveLastUsages(usages: readonly NotedUsage[]): Promise<void>
  findAccessKeyUse(accessKeyId: string): Promise<AccessKeyUse | undefined>
  /** Works like `saveLastUsages`. */
  saveAccessKeyUses(uses: readonly AccessKeyUse[]): Promise<void>
  findRoleUse(roleId: string): Promise<RoleUse | undefined>
  /** Works like `saveLastUsages`. */
  saveRoleUses(uses: readonly RoleUse[]): Promise<void>
  /** Blocks of audit records with events that have a token, latest first. */
  listEventBlocks(page: BlockPage): Promise<readonly BlockRef[]>
  /** The end of a stream's indexed records; undefined if none are indexed. */
  findIndexPosition(stream: string): Promise<IndexPosition | undefined>
  findEventBlock(block: number): Promise<Uint8Array | undefined>
  /** Deletes some of the index's events from before `day`. Returns whether there may be more. */
  deleteEventsBefore(day: number): Promise<boolean>
  /** Counts every key of the deployment, without checking row tags. */
  keyFigures(): Promise<KeyFigures>
  /**
   * Deletes some of the counts that are past their retention. Returns whether there may be more.
   */
  deleteOldCounts(now: number): Promise<boolean>
}
