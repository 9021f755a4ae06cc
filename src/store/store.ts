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
import type { DeliveryStore } from './delivery-store.ts'
import type { ChangeReads } from './change.ts'
import type { Figures } from './figures.ts'
import type { OutgoingEventStore } from './outgoing-event-store.ts'
import type { OutgoingEvent } from '../model/outgoing-event.ts'
import type { KeyFigures } from '../model/key-figures.ts'
import type { LostChange, OutboxRow } from './schema/changes.ts'
import type { AccountReads, AccountWrites } from './tables/account-rows.ts'
import type { AliasReads, AliasWrites } from './tables/alias-rows.ts'
import type { ClockMark } from './tables/clock-mark-rows.ts'
import type { DeletedKeys, KeyDeletion } from './tables/deleted-key-rows.ts'
import type { DeletedMaterials } from './tables/deleted-material-rows.ts'
import type { DueKeyReads } from './tables/due-key-rows.ts'
import type { HsmObjectReads, HsmObjectStore, HsmObjectWrites } from './tables/hsm-object-rows.ts'
import type { IndexPosition } from './tables/event-index-rows.ts'
import type { BlockPage, FoundBlocks } from './tables/event-runs.ts'
import type { GrantReads, GrantWrites } from './tables/grant-rows.ts'
import type { IdentityReads, IdentityWrites } from './tables/identity-rows.ts'
import type { KeyReads, KeyWrites } from './tables/key-rows.ts'
import type { KeyStoreFigureStore } from './tables/key-store-figure-rows.ts'
import type { KeyStoreReads, KeyStoreWrites } from './tables/key-store-rows.ts'
import type { KeyUsageStore } from './tables/key-usage-rows.ts'
import type { LastUses } from './tables/last-use-rows.ts'
import type { ManagedPolicyReads, ManagedPolicyWrites } from './tables/managed-policy-rows.ts'
import type { MaterialReads, MaterialWrites } from './tables/material-rows.ts'
import type { MaterialStateReads, MaterialStateWrites } from './tables/material-state-rows.ts'
import type { Freshness } from './freshness.ts'
import type { NodeStore } from './tables/node-rows.ts'
import type { OlderRowWrites } from './tables/older-rows.ts'
import type { OidcProviderReads, OidcProviderWrites } from './tables/oidc-provider-rows.ts'
import type { Restorations } from './tables/restoration-rows.ts'
import type { QuotaShareStore } from './tables/quota-claim-rows.ts'
import type { GenerationWrites } from './tables/root-generations.ts'
import type { ServedProxyReads, ServedProxyWrites } from './tables/served-proxy-rows.ts'
import type { ServiceReads, ServiceWrites } from './tables/service-rows.ts'
import type { TrailReads, TrailWrites } from './tables/trail-rows.ts'

export { DuplicateRow, StaleRow } from './row-errors.ts'

export interface StoreReads
  extends
    AccountReads,
    ServiceReads,
    IdentityReads,
    ManagedPolicyReads,
    OidcProviderReads,
    KeyReads,
    KeyStoreReads,
    ServedProxyReads,
    HsmObjectReads,
    DueKeyReads,
    MaterialReads,
    MaterialStateReads,
    AliasReads,
    GrantReads,
    TrailReads {}

/**
 * The inside of one transaction. It may run again from the start, so its code must change nothing
 * but the store.
 */
export interface Transaction
  extends
    StoreReads,
    ChangeReads,
    AccountWrites,
    ServiceWrites,
    IdentityWrites,
    ManagedPolicyWrites,
    OidcProviderWrites,
    KeyWrites,
    KeyStoreWrites,
    ServedProxyWrites,
    HsmObjectWrites,
    KeyDeletion,
    MaterialWrites,
    MaterialStateWrites,
    AliasWrites,
    GrantWrites,
    TrailWrites,
    OlderRowWrites,
    GenerationWrites {
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
  /** Remembers that the loss of these changes is accepted. */
  acceptLost(changes: readonly LostChange[]): Promise<void>
}

export interface Store
  extends
    StoreReads,
    ChangeReads,
    HsmObjectStore,
    KeyUsageStore,
    KeyStoreFigureStore,
    LastUses,
    ClockMark,
    Restorations,
    DeliveryStore,
    OutgoingEventStore,
    NodeStore,
    QuotaShareStore,
    Figures {
  /**
   * Runs `work` in one transaction, and again from the start if the database asks for it. The
   * transaction ends by taking the next change number. The epoch is raised before this returns.
   */
  change<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** The number of the last committed change that this node knows, read without waiting. */
  epoch(): number
  /** Whether calls may be decided by what this node knows. */
  readonly freshness: Freshness
  /**
   * The rows of this node's streams, and of streams that no serving node has: the record of a restored
   * backup, for example. Call it while no other node does (`Database.alone`).
   * @param whose `retired`: only those of nodes that were retired
   */
  listOutbox(limit: number, whose?: 'own' | 'retired'): Promise<readonly OutboxRow[]>
  deleteOutbox(eventIds: readonly string[]): Promise<void>
  countDeletedKeys(): Promise<DeletedKeys>
  countDeletedMaterials(): Promise<DeletedMaterials>
  /**
   * Removes the bytes of materials deleted since the last call, also by an earlier process, from
   * all files of the database. It cannot remove copies that the file system or the disk keeps.
   */
  scrub(): Promise<void>
  /** Blocks of audit records with events that have a token, latest first. */
  listEventBlocks(page: BlockPage): Promise<FoundBlocks>
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
