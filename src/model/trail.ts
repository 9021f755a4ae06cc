/**
 * Trails: which audit records of an account are delivered, and to what destination.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html
 * @module
 */
import { formatArn, parseArn } from './arn.ts'

export interface TrailRef {
  readonly accountId: string
  /** The Region that created it; only calls in that Region can change it. */
  readonly homeRegion: string
  readonly name: string
}

/** Selects records for a trail. All records are management events. */
export interface EventSelector {
  readonly readWriteType: 'All' | 'ReadOnly' | 'WriteOnly'
  readonly includeManagementEvents: boolean
  /** Excluded event sources, for example `kms.amazonaws.com`. */
  readonly excludedSources: readonly string[]
}

export interface TrailRecord extends TrailRef {
  readonly bucket: string
  /** Comes before `AWSLogs/` in the keys of its files; without a trailing slash. */
  readonly prefix?: string
  /** Whether it takes records of all Regions, not only of the home Region. */
  readonly multiRegion: boolean
  /** Whether it takes records of IAM and of the global STS. */
  readonly includeGlobalServiceEvents: boolean
  /** Whether digest files are delivered. */
  readonly logFileValidation: boolean
  /** ARN of the KMS key that encrypts its files. */
  readonly kmsKeyId?: string
  /**
   * ARN of the topic to notify of each file. Trent sends the notification to the operator's webhook
   * with this ARN, because a caller of the API must not choose a URL.
   */
  readonly topicArn?: string
  readonly selectors: readonly EventSelector[]
  readonly isLogging: boolean
  /** The last time that logging started, and stopped; milliseconds since the epoch. */
  readonly startedAt?: number
  readonly stoppedAt?: number
  readonly createdAt: number
  readonly rowVersion: number
}

/** The results of delivery, for `GetTrailStatus`. Times are milliseconds since the epoch. */
export interface TrailStatus {
  readonly latestDeliveryAt?: number
  readonly latestDeliveryAttemptAt?: number
  /** The error of the last attempt, if it failed. */
  readonly latestDeliveryError?: string
  readonly latestDigestDeliveryAt?: number
  readonly latestDigestDeliveryError?: string
  readonly latestNotificationAt?: number
  readonly latestNotificationAttemptAt?: number
  readonly latestNotificationError?: string
}

/** A public key that verifies digest files. */
export interface DigestPublicKey {
  /** PKCS#1, DER. */
  readonly value: Uint8Array
  /** 32 hex digits. */
  readonly fingerprint: string
  /** Milliseconds since the epoch. */
  readonly validFrom: number
  readonly validUntil: number
}

/** The operator's settings for trails, and the state of their delivery. */
export interface TrailDependencies {
  /**
   * The trail that the settings give to every account. No call can change it. Undefined if the
   * settings name no destination.
   */
  operatorTrail(accountId: string): TrailRecord | undefined
  /** Whether an account may use the bucket as a destination. */
  acceptsBucket(bucket: string, accountId: string): boolean
  /** Whether the destination can encrypt files under a KMS key. */
  readonly encrypts: boolean
  statusOf(trail: TrailRecord): Promise<TrailStatus>
  /** Keys that were valid at any time in the range, oldest first. */
  digestPublicKeys(from: number, until: number): Promise<readonly DigestPublicKey[]>
}

/** The selectors of a trail that was created without any. */
export const defaultSelectors: readonly EventSelector[] = [
  { readWriteType: 'All', includeManagementEvents: true, excludedSources: [] },
]

export function trailArn(partition: string, { accountId, homeRegion, name }: TrailRef): string {
  const resource = `trail/${name}`
  return formatArn({ partition, service: 'cloudtrail', region: homeRegion, accountId, resource })
}

/** The trail named by an ARN; undefined for other text. */
export function readTrailArn(text: string): TrailRef | undefined {
  const arn = parseArn(text)
  const [, name] = /^trail\/([^/]+)$/.exec(arn?.resource ?? '') ?? []
  if (arn?.service !== 'cloudtrail' || name === undefined) return undefined
  return { accountId: arn.accountId, homeRegion: arn.region, name }
}

/** The members of a record that decide whether a trail takes it. */
export interface TrailedRecord {
  readonly recipientAccountId: string
  readonly awsRegion: string
  readonly eventSource: string
  readonly readOnly: boolean
  /** Milliseconds since the epoch. */
  readonly time: number
}

/** Whether a trail takes a record. */
export function takes(trail: TrailRecord, record: TrailedRecord): boolean {
  return (
    record.recipientAccountId === trail.accountId &&
    (trail.multiRegion || record.awsRegion === trail.homeRegion) &&
    (trail.includeGlobalServiceEvents || !isGlobal(record)) &&
    wasLogging(trail, record.time) &&
    trail.selectors.some((selector) => selects(selector, record))
  )
}

/** Record times are whole seconds, so the whole second in which logging started is included. */
function wasLogging({ isLogging, startedAt, stoppedAt }: TrailRecord, time: number): boolean {
  const begun = startedAt !== undefined && time >= Math.floor(startedAt / 1000) * 1000
  return begun && (isLogging || (stoppedAt !== undefined && time < stoppedAt))
}

function selects(selector: EventSelector, { readOnly, eventSource }: TrailedRecord): boolean {
  const { readWriteType, includeManagementEvents, excludedSources } = selector
  const wanted = readWriteType === 'All' || readOnly === (readWriteType === 'ReadOnly')
  return includeManagementEvents && wanted && !excludedSources.includes(eventSource)
}

/** IAM is global, and so is STS at its global endpoint: both record in us-east-1. */
function isGlobal({ eventSource, awsRegion }: TrailedRecord): boolean {
  return (
    eventSource === 'iam.amazonaws.com' ||
    (eventSource === 'sts.amazonaws.com' && awsRegion === 'us-east-1')
  )
}
