/** Files on their way to a trail's destination, and the digests that list them. @module */
import type { DigestPublicKey, TrailRecord, TrailRef } from './trail.ts'

/**
 * The end of the records of a stream that are already in files: a position after a checkpointed
 * frame.
 */
export interface DeliveryCursor {
  readonly stream: string
  readonly segment: number
  readonly offset: number
}

/**
 * The place of a log file's records in the journal: from one frame to another of the same segment.
 */
export interface JournalRange {
  readonly stream: string
  readonly segment: number
  readonly from: number
  readonly to: number
}

/** Identifies a digest chain. */
export interface ChainRef {
  readonly trail: TrailRef
  /** The Region of the events in the files. */
  readonly region: string
}

/** A file to deliver; its name and bytes no longer change. */
export interface DeliveryFile extends ChainRef {
  /** The node that made the file, has its bytes, and delivers it; absent in an embedded database. */
  readonly nodeId?: string
  /** The order of delivery by the node, and the name of the file on its disk. */
  readonly sequence: number
  readonly kind: 'log' | 'digest'
  readonly bucket: string
  /** The object's key. */
  readonly key: string
  /** SHA-256 of the content before compression, in lower-case hex. */
  readonly hash: string
  /** SHA-256 of the bytes as delivered, in lower-case hex. */
  readonly bytesHash: string
  /** Milliseconds since the epoch; present for log files only. */
  readonly oldest?: number
  readonly newest?: number
  readonly records: number
  readonly range?: JournalRange
  /** The trail at the time the file was made. Together with the range it determines the content. */
  readonly rule?: TrailRecord
  /** The object's metadata. */
  readonly metadata: Readonly<Record<string, string>>
  readonly kmsKeyId?: string
  /** The topic to notify; empty for the operator's own trail. */
  readonly topicArn?: string
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  readonly deliveredAt?: number
  readonly isNotified: boolean
  /** Whether a digest lists the file, or none needs to. */
  readonly isListed: boolean
}

/** The digests of one trail and Region, and what the next one continues from. */
export interface DigestChain extends ChainRef {
  /** End of the last digest, in milliseconds since the epoch. */
  readonly end: number
  /** Undefined before the first digest. */
  readonly last?: {
    readonly bucket: string
    readonly key: string
    readonly hash: string
    /** Lower-case hex. */
    readonly signature: string
  }
}

/** A key that signs digests. */
export interface DigestKey extends DigestPublicKey {
  readonly wrappingVersion: number
  /** PKCS#8, DER, wrapped. */
  readonly wrapped: Uint8Array
}

/**
 * The steps of delivery: records into files, files into digests, files to their destination, the
 * webhook.
 */
export type DeliveryStep = 'files' | 'digests' | 'place' | 'webhook'

/** How far delivery is behind the journal. */
export interface DeliveryFigures {
  readonly waitingFiles: number
  /** Milliseconds since the epoch: every older record has been delivered. */
  readonly deliveredUntil: number
  /** Failures in a row since the last success, for the trail that has the most. */
  readonly failures: Readonly<Record<DeliveryStep, number>>
}

/** A trail as one string, for rows and map keys. */
export function trailText({ accountId, homeRegion, name }: TrailRef): string {
  return `${accountId}/${homeRegion}/${name}`
}

export function readTrailText(text: string): TrailRef {
  const [accountId = '', homeRegion = '', name = ''] = text.split('/')
  return { accountId, homeRegion, name }
}
