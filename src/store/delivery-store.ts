/** The part of the store that the audit journal and delivery work with. @module */
import type { AuditWriter } from '../model/audit-writer.ts'
import type {
  ChainRef,
  DeliveryCursor,
  DeliveryFile,
  DigestChain,
  DigestKey,
} from '../model/delivery.ts'
import type { TrailRef, TrailStatus } from '../model/trail.ts'

/** Files on their way to where trails deliver. Nothing here is a change that takes a number. */
export interface DeliveryStore {
  /** The audit journal's writers, by stream. */
  listAuditWriters(): Promise<readonly AuditWriter[]>
  /** What is not given stays as it is known of the stream; it is no change and takes no number. */
  changeAuditWriter(
    stream: string,
    changes: Partial<Pick<AuditWriter, 'first' | 'checkpoint'>>,
  ): Promise<void>
  findDeliveryCursor(stream: string): Promise<DeliveryCursor | undefined>
  /** By sequence, behind `after`; none of the trails in `except`. */
  listUndelivered(
    limit: number,
    after: number,
    except: readonly TrailRef[],
  ): Promise<readonly DeliveryFile[]>
  /** Delivered, and somebody is still to hear of it. */
  listUnnotified(limit: number): Promise<readonly DeliveryFile[]>
  /** Log files of a chain that no digest names yet, so many at most, by sequence. */
  listUnlisted(chain: ChainRef, madeBefore: number): Promise<readonly DeliveryFile[]>
  /** Sequences of files with which nothing is left to be done. */
  listFinishedFiles(limit: number): Promise<readonly number[]>
  countUndelivered(): Promise<number>
  /** 0 when there is none. */
  lastDeliverySequence(): Promise<number>
  /** The first segment of a stream whose records lie in a file that is not delivered. */
  firstUndeliveredSegment(stream: string): Promise<number | undefined>
  saveCut(cut: {
    readonly files: readonly DeliveryFile[]
    readonly cursor: DeliveryCursor
    readonly chains: readonly DigestChain[]
  }): Promise<void>
  saveDigest(of: {
    readonly digest: DeliveryFile
    readonly chain: DigestChain
    readonly listed: readonly DeliveryFile[]
  }): Promise<void>
  /** A file that is gone is passed over. */
  changeDeliveryFile(
    sequence: number,
    changes: Partial<Pick<DeliveryFile, 'deliveredAt' | 'isNotified'>>,
  ): Promise<void>
  deleteDeliveryFiles(sequences: readonly number[]): Promise<void>
  listDigestChains(): Promise<readonly DigestChain[]>
  deleteDigestChain(chain: ChainRef): Promise<void>
  /** Every key that has ever signed, oldest first. */
  listDigestKeys(): Promise<readonly DigestKey[]>
  insertDigestKey(key: DigestKey): Promise<void>
  findTrailStatus(trail: TrailRef): Promise<TrailStatus | undefined>
  saveTrailStatus(trail: TrailRef, status: TrailStatus): Promise<void>
}
