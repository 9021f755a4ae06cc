/**
 * The port through which everything stored is read and changed; PostgreSQL and SQLite fill it under
 * the same tests. All methods are asynchronous; nothing here assumes one process, account or Region.
 *
 * INVARIANT (bound rows): a row whose tag fails is answered as absent, and reported to `onForgedRow`.
 * INVARIANT (ordered changes): every change has a number, and commit order is the order of numbers.
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

/** The row that a change was decided on is no longer the present one: decide again. */
export class StaleRow extends Error {}

/** A unique name is taken: an alias, an access key id. */
export class DuplicateRow extends Error {}

/** Who has a managed policy: attached, as its permissions boundary, or either where `as` is left out. */
export interface Holding {
  readonly policyId: string
  readonly as?: 'attached' | 'boundary'
}

/** Which identities a page is of. */
export type IdentityPage = Page & { readonly pathPrefix: string; readonly holding?: Holding }

/** What is due by a time, the longest due first. */
export interface DuePage<T> {
  /** Milliseconds since the epoch. */
  readonly dueBy: number
  /** What was due just before; from the start when left out. */
  readonly after?: T
  readonly limit: number
}

export interface StoreReads extends GrantReads {
  findAccount(accountId: string): Promise<AccountRecord | undefined>
  /** Accounts by id. */
  listAccounts(page: Page): Promise<readonly AccountRecord[]>
  findAccessKey(accessKeyId: string): Promise<AccessKeyRecord | undefined>
  /** An account's access keys by id. */
  listAccessKeys(accountId: string): Promise<readonly AccessKeyRecord[]>
  /** A principal's access keys by id. */
  listAccessKeysOf(principalId: string): Promise<readonly AccessKeyRecord[]>
  findService(ref: ServiceRef): Promise<ServiceRecord | undefined>
  findServiceByKey(accessKeyId: string): Promise<ServiceRecord | undefined>
  /** By name and Region: operators make few. */
  listServices(): Promise<readonly ServiceRecord[]>
  findUser(userId: string): Promise<UserRecord | undefined>
  /** The name as it was given, case and all. */
  findUserByName(accountId: string, name: string): Promise<UserRecord | undefined>
  /** Users of an account by name, of those whose path begins so. */
  listUsers(accountId: string, page: IdentityPage): Promise<readonly UserRecord[]>
  countUsers(accountId: string): Promise<number>
  findGroup(groupId: string): Promise<GroupRecord | undefined>
  /** The name as it was given, case and all. */
  findGroupByName(accountId: string, name: string): Promise<GroupRecord | undefined>
  /** Groups of an account by name, of those whose path begins so. */
  listGroups(accountId: string, page: IdentityPage): Promise<readonly GroupRecord[]>
  countGroups(accountId: string): Promise<number>
  /** Users that are in a group, by name. */
  listMembers(accountId: string, groupId: string, page: Page): Promise<readonly UserRecord[]>
  findRole(roleId: string): Promise<RoleRecord | undefined>
  /** The name as it was given, case and all. */
  findRoleByName(accountId: string, name: string): Promise<RoleRecord | undefined>
  /** Roles of an account by name, of those whose path begins so. */
  listRoles(accountId: string, page: IdentityPage): Promise<readonly RoleRecord[]>
  countRoles(accountId: string): Promise<number>
  findManagedPolicy(policyId: string): Promise<ManagedPolicyRecord | undefined>
  /** The name as it was given, case and all. */
  findManagedPolicyByName(accountId: string, name: string): Promise<ManagedPolicyRecord | undefined>
  /** Managed policies of an account by name. */
  listManagedPolicies(
    accountId: string,
    page: Page & {
      readonly pathPrefix: string
      readonly onlyAttached: boolean
      /** Only those that are somebody's permissions boundary. */
      readonly onlyBoundaries?: boolean
    },
  ): Promise<readonly ManagedPolicyRecord[]>
  countManagedPolicies(accountId: string): Promise<number>
  findOidcProvider(ref: OidcProviderRef): Promise<OidcProviderRecord | undefined>
  /** An account's providers by name: IAM has no pages of them. */
  listOidcProviders(accountId: string): Promise<readonly OidcProviderRecord[]>
  findKey(ref: KeyRef): Promise<KeyRecord | undefined>
  /** The multi-Region keys of an id by Region: itself and its relatives. None for any other key. */
  listRelatedKeys(key: Pick<KeyRef, 'accountId' | 'keyId'>): Promise<readonly KeyRecord[]>
  /** An account's multi-Region keys of all Regions, by id and Region. */
  listMultiRegionKeys(accountId: string, limit: number): Promise<readonly KeyRecord[]>
  /** Keys of an account and Region by key id. */
  listKeys(accountId: string, region: string, page: Page): Promise<readonly KeyRecord[]>
  /** The Regions in which an account has keys. */
  listKeyRegions(accountId: string): Promise<readonly string[]>
  /** Keys whose waiting period is over, of every account and Region. */
  listKeysToDelete(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Enabled keys, no replicas, whose automatic rotation is due, of every account and Region. */
  listKeysToRotate(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Keys, no replicas, whose rotation on demand was started by then, in whatever state. */
  listStartedRotations(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Keys that have become Creating or Updating by then. */
  listTransitions(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Customer managed keys of an account and Region. */
  countKeys(accountId: string, region: string): Promise<number>
  findMaterial(materialId: string): Promise<MaterialRecord | undefined>
  /** Every material of a key, oldest first; a multi-Region key's replicas share them. */
  listMaterials(accountId: string, keyId: string): Promise<readonly MaterialRecord[]>
  findMaterialState(ref: MaterialStateRef): Promise<MaterialStateRecord | undefined>
  /**
   * Where a key's materials stand in its Region, in their order; `after` is an ordinal. Of a key that was
   * made before states were kept there is none: `onlyMaterialOf` says it.
   */
  listMaterialStates(
    key: KeyRef,
    page: Page & { readonly onlyRotations?: boolean },
  ): Promise<readonly MaterialStateRecord[]>
  /** How often a key has been rotated so. */
  countRotations(key: KeyRef, type: RotationType): Promise<number>
  /** Imported materials that have expired, of every account and Region. */
  listExpiredMaterials(page: DuePage<MaterialStateRecord>): Promise<readonly MaterialStateRecord[]>
  findAlias(ref: AliasRef): Promise<AliasRecord | undefined>
  /** Aliases of an account and Region by name, of one key when `targetKeyId` is given. */
  listAliases(
    accountId: string,
    region: string,
    page: Page & { readonly targetKeyId?: string },
  ): Promise<readonly AliasRecord[]>
  countAliases(key: KeyRef): Promise<number>
  /** Aliases of an account and Region, but for those that AWS has made. */
  countAllAliases(accountId: string, region: string): Promise<number>
  findTrail(ref: TrailRef): Promise<TrailRecord | undefined>
  /** An account's trails by home Region and name: there are few, by a quota. */
  listTrails(accountId: string): Promise<readonly TrailRecord[]>
  /** The trails of every account; `after` is `account/home Region/name`. */
  listEveryTrail(page: Page): Promise<readonly TrailRecord[]>
}

/** A grant that is yet to be written. */
export type NewGrant = Omit<GrantRecord, 'rowVersion'>

type Changeable<T, Fixed extends keyof T> = {
  readonly [K in Exclude<keyof T, Fixed | 'rowVersion'>]?: T[K] | undefined
}

/** What a change may set on a key; `undefined` clears an optional member. */
export type KeyChanges = Changeable<
  KeyRecord,
  keyof KeyRef | 'spec' | 'usage' | 'origin' | 'manager' | 'createdAt'
>

/** What a change may set on a role; `undefined` clears an optional member. */
export type RoleChanges = Changeable<
  RoleRecord,
  'roleId' | 'accountId' | 'name' | 'path' | 'serviceLinked' | 'createdAt'
>

/** What a change may set on a trail; `undefined` clears an optional member. */
export type TrailChanges = Changeable<TrailRecord, keyof TrailRef | 'createdAt'>

/** What a change may set on where a material stands; `undefined` clears an optional member. */
export type MaterialStateChanges = Changeable<
  MaterialStateRecord,
  keyof MaterialStateRef | 'ordinal'
>

/**
 * The inside of one transaction. It may be run again from the start, so nothing but the store may be
 * changed by what runs in it.
 */
export interface Transaction extends StoreReads, ChangeReads {
  insertAccount(account: Omit<AccountRecord, 'rowVersion'>): Promise<void>
  /**
   * `undefined` clears what it is said of.
   * @throws {StaleRow}
   * @throws {DuplicateRow} when another account has the alias
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
  /** @throws {DuplicateRow} when it is registered in that Region */
  insertService(service: Omit<ServiceRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  deleteService(service: ServiceRecord): Promise<void>
  /** @throws {DuplicateRow} when a name that differs in case only is taken */
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
  /** Holds the row as it is until commit. @throws {StaleRow} */
  confirmUser(user: UserRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteUser(user: UserRecord): Promise<void>
  /** @throws {DuplicateRow} when a name that differs in case only is taken */
  insertGroup(group: Omit<GroupRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} @throws {DuplicateRow} when its new name is taken */
  updateGroup(
    group: GroupRecord,
    changes: Partial<Pick<GroupRecord, 'name' | 'path' | 'inlinePolicies' | 'attachedPolicies'>>,
  ): Promise<GroupRecord>
  /** Holds the row as it is until commit. @throws {StaleRow} */
  confirmGroup(group: GroupRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteGroup(group: GroupRecord): Promise<void>
  /** @throws {DuplicateRow} when a name that differs in case only is taken */
  insertRole(role: Omit<RoleRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateRole(role: RoleRecord, changes: RoleChanges): Promise<RoleRecord>
  /** Holds the row as it is until commit. @throws {StaleRow} */
  confirmRole(role: RoleRecord): Promise<void>
  /** @throws {StaleRow} */
  deleteRole(role: RoleRecord): Promise<void>
  /** @throws {DuplicateRow} when a name that differs in case only is taken */
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
  /** @throws {StaleRow} when the stored row is not at `key.rowVersion` */
  updateKey(key: KeyRecord, changes: KeyChanges): Promise<KeyRecord>
  /** Holds the row as it is until commit. @throws {StaleRow} */
  confirmKey(key: KeyRecord): Promise<void>
  /**
   * Deletes the key and all that is its own: aliases, grants, what is known of its materials and its use; the
   * materials too, where no key of its id is left in another Region. @throws {StaleRow}
   */
  deleteKey(key: KeyRecord, deletedAt: number): Promise<void>
  insertMaterial(material: MaterialRecord): Promise<void>
  /**
   * Deletes the bytes of a material, unless another Region's key has it imported. What stays says whose
   * ciphertexts it made.
   */
  emptyMaterial(material: MaterialStateRef): Promise<void>
  /** Gives a material its bytes again. */
  refillMaterial(material: MaterialRecord): Promise<void>
  /** Deletes a material that nothing was encrypted under, unless another Region's key has it imported. */
  deleteMaterial(material: MaterialStateRef): Promise<void>
  /** To be followed, as the two below, by a change of the key's own row: that is what keeps two apart. */
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
  /** Gives the grants to a user, and those that it may retire, the name that it has now. */
  renameGrantee(user: UserRecord): Promise<void>
  /** @throws {StaleRow} when it is gone */
  deleteGrant(grant: GrantRecord): Promise<void>
  /** @throws {DuplicateRow} when its account has one of the name in its home Region */
  insertTrail(trail: Omit<TrailRecord, 'rowVersion'>): Promise<void>
  /** @throws {StaleRow} */
  updateTrail(trail: TrailRecord, changes: TrailChanges): Promise<TrailRecord>
  /** @throws {StaleRow} */
  deleteTrail(trail: TrailRecord): Promise<void>
  /** Everything but the deployment, the account in `keep` and its root user's access keys. */
  empty(keep: { readonly accountId: string }): Promise<void>
  /**
   * Keeps a record of the change. To be called after what the change writes.
   * @returns the record as it is kept: it carries the number of the change
   */
  insertOutbox(row: OutboxRow): Promise<string>
  insertOutgoingEvent(event: OutgoingEvent): Promise<void>
  /** Takes no number up to this one any more: they are those of changes that were lost. */
  skipChanges(upTo: number): Promise<void>
}

/** Keys that were deleted, in two stages. */
export interface DeletedKeys {
  /** Nothing in this database is left of them but a tombstone. A key counts in each of its Regions. */
  readonly gone: number
  /** Of those that had material: no copy of the database opens it any more. */
  readonly shredded: number
  /** Seals that are still there, of root keys that open what a copy from before the deletion holds. */
  readonly openedBySeals: readonly { readonly generation: number; readonly keys: number }[]
}

/** Imported materials that were taken from keys that live on, and have not come again. */
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
  /** The journal stream and the segment it was writing: the record is in none before it. */
  readonly stream: string
  readonly segment: number
}

export interface Store extends StoreReads, ChangeReads, DeliveryStore, OutgoingEventStore, Figures {
  /**
   * Runs `work` in one transaction, whole again when the database asks for it; it ends by taking the
   * next change number. The epoch is raised before this answers.
   */
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** The number of the last change that was committed; read from memory, no waiting. */
  epoch(): number
  listOutbox(limit: number): Promise<readonly OutboxRow[]>
  deleteOutbox(eventIds: readonly string[]): Promise<void>
  countDeletedKeys(): Promise<DeletedKeys>
  countDeletedMaterials(): Promise<DeletedMaterials>
  /**
   * Sees to it that the materials that were deleted since the last time, by an earlier process too, are in
   * no file of the database any more. What a file system or a disk keeps of its own is beyond it.
   */
  scrub(): Promise<void>
  /** The latest time by which anything was decided; undefined at the first start. */
  findClockMark(): Promise<number | undefined>
  saveClockMark(reached: number): Promise<void>
  /**
   * Since when uses of keys are noted: `now` the first time, and the same ever after. If its row is not
   * genuine, tracking begins anew: no key was idle before `now`.
   */
  trackUsageSince(now: number): Promise<number>
  /** Undefined for a key that was not used, and for one that does not exist. */
  findLastUsage(key: KeyRef): Promise<LastUsage | LostUsage | undefined>
  /**
   * Saves each that is no earlier than the stored one, in one transaction that is no change and takes
   * no number. Each key at most once; a key that is gone is passed over.
   */
  saveLastUsages(usages: readonly NotedUsage[]): Promise<void>
  findAccessKeyUse(accessKeyId: string): Promise<AccessKeyUse | undefined>
  /** As uses of roles are saved. */
  saveAccessKeyUses(uses: readonly AccessKeyUse[]): Promise<void>
  findRoleUse(roleId: string): Promise<RoleUse | undefined>
  /** The same for uses of roles. */
  saveRoleUses(uses: readonly RoleUse[]): Promise<void>
  /** Blocks of audit records that hold events with a token, the latest first. */
  listEventBlocks(page: BlockPage): Promise<readonly BlockRef[]>
  /** Up to where a stream of the journal is in the index; undefined when nothing of it is. */
  findIndexPosition(stream: string): Promise<IndexPosition | undefined>
  findEventBlock(block: number): Promise<Uint8Array | undefined>
  /** Deletes some of the index's events of days before; answers whether more may be there. */
  deleteEventsBefore(day: number): Promise<boolean>
  /** Every key of the deployment, counted as it is found. */
  keyFigures(): Promise<KeyFigures>
  /** Deletes some of the figures that have been kept long enough; answers whether more may be there. */
  deleteOldCounts(now: number): Promise<boolean>
}
