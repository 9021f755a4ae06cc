/** Files on their way to where a trail delivers, and the digests that name them. @module */
import type { DigestPublicKey, TrailRecord, TrailRef } from './trail.ts'

/** Up to where the records of a stream have been put into files: a place behind a checkpointed frame. */
export interface DeliveryCursor {
  readonly stream: string
  readonly segment: number
  readonly offset: number
}

/** Where the records of a log file lie in the journal: from one frame up to another of one segment. */
export interface JournalRange {
  readonly stream: string
  readonly segment: number
  readonly from: number
  readonly to: number
}

/** Whose files a digest chain is of. */
export interface ChainRef {
  readonly trail: TrailRef
  /** What the files are about. */
  readonly region: string
}

/** A file whose name and bytes are fixed. */
export interface DeliveryFile extends ChainRef {
  /** The order in which files are delivered, and the name of the bytes on disk. */
  readonly sequence: number
  readonly kind: 'log' | 'digest'
  readonly bucket: string
  /** The object's key. */
  readonly key: string
  /** SHA-256 of what is compressed, in lower-case hex. */
  readonly hash: string
  /** SHA-256 of the bytes as they are delivered, in lower-case hex. */
  readonly bytesHash: string
  /** Milliseconds since the epoch; of log files only. */
  readonly oldest?: number
  readonly newest?: number
  readonly records: number
  readonly range?: JournalRange
  /** The trail as it was: with the range it says what the file holds. */
  readonly rule?: TrailRecord
  /** The object's own metadata. */
  readonly metadata: Readonly<Record<string, string>>
  readonly kmsKeyId?: string
  /** Who is to hear of it; an empty text for the operator's own trail. */
  readonly topicArn?: string
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  readonly deliveredAt?: number
  readonly isNotified: boolean
  /** A digest names it, or none is to. */
  readonly isListed: boolean
}

/** The digests of one trail and Region: what the next one follows. */
export interface DigestChain extends ChainRef {
  /** Where the last digest ended, milliseconds since the epoch. */
  readonly end: number
  /** Undefined before the first. */
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

/** The steps of delivery: records into files, files into digests, files to their place, the webhook. */
export type DeliveryStep = 'files' | 'digests' | 'place' | 'webhook'

/** How far delivery is behind the journal. */
export interface DeliveryFigures {
  readonly waitingFiles: number
  /** Every record that is older has been delivered: milliseconds since the epoch. */
  readonly deliveredUntil: number
  /** Failures in a row, since the last success; of the trail that has most of them. */
  readonly failures: Readonly<Record<DeliveryStep, number>>
}

/** One text for a trail, in rows and maps. */
export function trailText({ accountId, homeRegion, name }: TrailRef): string {
  return `${accountId}/${homeRegion}/${name}`
}

export function readTrailText(text: string): TrailRef {
  const [accountId = '', homeRegion = '', name = ''] = text.split('/')
  return { accountId, homeRegion, name }
}
