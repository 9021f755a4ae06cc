/** The part of the store that the audit journal and delivery use. @module */
import type { RetiredKey } from './schema/audit.ts'
import type { AuditWriter } from '../model/audit-writer.ts'
import type {
  ChainRef,
  DeliveryCursor,
  DeliveryFile,
  DigestChain,
  DigestKey,
} from '../model/delivery.ts'
import type { TrailRef, TrailStatus } from '../model/trail.ts'

/**
 * Files on their way to a trail's destination. Nothing here is a numbered change. Files are
 * those of this node, except for digests, which list those of every node.
 */
export interface DeliveryStore {
  /** The streams of this node's audit journal, by name. */
  listAuditWriters(): Promise<readonly AuditWriter[]>
  /** The streams of every node. */
  listAllAuditWriters(): Promise<readonly AuditWriter[]>
  /**
   * Members that are not given keep their stored values. It is not a change and takes no number. The stream
   * then belongs to this node.
   */
  changeAuditWriter(
    stream: string,
    changes: Partial<Pick<AuditWriter, 'first' | 'checkpoint'>>,
  ): Promise<void>
  findDeliveryCursor(stream: string): Promise<DeliveryCursor | undefined>
  /** Undelivered files by sequence, after `after`, except those of the trails in `except`. */
  listUndelivered(
    limit: number,
    after: number,
    except: readonly TrailRef[],
  ): Promise<readonly DeliveryFile[]>
  /** Delivered files that still wait for their notification. */
  listUnnotified(limit: number): Promise<readonly DeliveryFile[]>
  /** At most a fixed number of a chain's log files that no digest lists yet, by sequence. */
  listUnlisted(chain: ChainRef, madeBefore: number): Promise<readonly DeliveryFile[]>
  /** Sequences of files for which nothing is left to do. */
  listFinishedFiles(limit: number): Promise<readonly number[]>
  countUndelivered(): Promise<number>
  /** 0 if there is none. */
  lastDeliverySequence(): Promise<number>
  /** The first segment of a stream with records in an undelivered file. */
  firstUndeliveredSegment(stream: string): Promise<number | undefined>
  /** @throws {StaleRow} if a digest has been made for the hour of a file */
  saveCut(cut: {
    readonly files: readonly DeliveryFile[]
    readonly cursor: DeliveryCursor
    readonly chains: readonly DigestChain[]
  }): Promise<void>
  /**
   * @param of `after` is the end of the chain before this digest
   * @throws {StaleRow} if the chain has another end, or another file belongs into the digest
   */
  saveDigest(of: {
    readonly digest: DeliveryFile
    readonly chain: DigestChain
    readonly after: number
    readonly listed: readonly DeliveryFile[]
  }): Promise<void>
  /** Does nothing if the file no longer exists. */
  changeDeliveryFile(
    sequence: number,
    changes: Partial<Pick<DeliveryFile, 'deliveredAt' | 'isNotified'>>,
  ): Promise<void>
  /** Gives the files from the time of an embedded database to this node, which has their bytes. */
  adoptDeliveryFiles(): Promise<void>
  deleteDeliveryFiles(sequences: readonly number[]): Promise<void>
  listDigestChains(): Promise<readonly DigestChain[]>
  deleteDigestChain(chain: ChainRef): Promise<void>
  /** All keys that have ever signed, oldest first. */
  listDigestKeys(): Promise<readonly DigestKey[]>
  insertDigestKey(key: DigestKey): Promise<void>
  /** Public keys of domain keys that are gone, oldest first. */
  listRetiredKeys(): Promise<readonly RetiredKey[]>
  findTrailStatus(trail: TrailRef): Promise<TrailStatus | undefined>
  saveTrailStatus(trail: TrailRef, status: TrailStatus): Promise<void>
}
