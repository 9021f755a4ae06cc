/**
 * Trails: which records of an account are delivered, and where to.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html
 * @module
 */
import { formatArn, parseArn } from './arn.ts'

export interface TrailRef {
  readonly accountId: string
  /** The Region that it was made in: it is changed only there. */
  readonly homeRegion: string
  readonly name: string
}

/** Which records a trail takes; a record is about management, always. */
export interface EventSelector {
  readonly readWriteType: 'All' | 'ReadOnly' | 'WriteOnly'
  readonly includeManagementEvents: boolean
  /** Event sources that are left out, as `kms.amazonaws.com`. */
  readonly excludedSources: readonly string[]
}

export interface TrailRecord extends TrailRef {
  readonly bucket: string
  /** Before `AWSLogs/` in the keys of its files; without a slash at its end. */
  readonly prefix?: string
  /** Records of every Region, and not of the home Region only. */
  readonly multiRegion: boolean
  /** Records of IAM and of the global STS. */
  readonly includeGlobalServiceEvents: boolean
  /** Whether digest files are delivered. */
  readonly logFileValidation: boolean
  /** ARN of the KMS key that its files are encrypted under. */
  readonly kmsKeyId?: string
  /**
   * ARN of the topic that hears of each file: what Trent tells the operator's webhook, with this ARN. The
   * caller of an API names no URL.
   */
  readonly topicArn?: string
  readonly selectors: readonly EventSelector[]
  readonly isLogging: boolean
  /** When logging was last started, and stopped; milliseconds since the epoch. */
  readonly startedAt?: number
  readonly stoppedAt?: number
  readonly createdAt: number
  readonly rowVersion: number
}

/** What delivery has come to, for `GetTrailStatus`. Times are milliseconds since the epoch. */
export interface TrailStatus {
  readonly latestDeliveryAt?: number
  readonly latestDeliveryAttemptAt?: number
  /** Of the latest attempt, where it failed. */
  readonly latestDeliveryError?: string
  readonly latestDigestDeliveryAt?: number
  readonly latestDigestDeliveryError?: string
  readonly latestNotificationAt?: number
  readonly latestNotificationAttemptAt?: number
  readonly latestNotificationError?: string
}

/** A key that digest files are signed by. */
export interface DigestPublicKey {
  /** PKCS#1, DER. */
  readonly value: Uint8Array
  /** 32 hex digits. */
  readonly fingerprint: string
  /** Milliseconds since the epoch. */
  readonly validFrom: number
  readonly validUntil: number
}

/** What the operator has decided of trails, and what delivery knows of them. */
export interface TrailPorts {
  /**
   * The trail that the settings give to every account, which no call changes; undefined where they name
   * no place to deliver to.
   */
  operatorTrail(accountId: string): TrailRecord | undefined
  /** Whether an account may have its records delivered to a bucket. */
  acceptsBucket(bucket: string, accountId: string): boolean
  /** Whether files can be encrypted under a KMS key where they are delivered to. */
  readonly encrypts: boolean
  statusOf(trail: TrailRecord): Promise<TrailStatus>
  /** Keys that were valid at any time between; oldest first. */
  digestPublicKeys(from: number, until: number): Promise<readonly DigestPublicKey[]>
}

/** What a trail takes that was given no selectors. */
export const defaultSelectors: readonly EventSelector[] = [
  { readWriteType: 'All', includeManagementEvents: true, excludedSources: [] },
]

export function trailArn(partition: string, { accountId, homeRegion, name }: TrailRef): string {
  const resource = `trail/${name}`
  return formatArn({ partition, service: 'cloudtrail', region: homeRegion, accountId, resource })
}

/** The trail that an ARN names; undefined for what is no trail's. */
export function readTrailArn(text: string): TrailRef | undefined {
  const arn = parseArn(text)
  const [, name] = /^trail\/([^/]+)$/.exec(arn?.resource ?? '') ?? []
  if (arn?.service !== 'cloudtrail' || name === undefined) return undefined
  return { accountId: arn.accountId, homeRegion: arn.region, name }
}

/** What of a record decides whether a trail takes it. */
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

/** Records have whole seconds, and those of the second of a start are taken. */
function wasLogging({ isLogging, startedAt, stoppedAt }: TrailRecord, time: number): boolean {
  const begun = startedAt !== undefined && time >= Math.floor(startedAt / 1000) * 1000
  return begun && (isLogging || (stoppedAt !== undefined && time < stoppedAt))
}

function selects(selector: EventSelector, { readOnly, eventSource }: TrailedRecord): boolean {
  const { readWriteType, includeManagementEvents, excludedSources } = selector
  const wanted = readWriteType === 'All' || readOnly === (readWriteType === 'ReadOnly')
  return includeManagementEvents && wanted && !excludedSources.includes(eventSource)
}

/** IAM is global, and so is STS where it answers for no Region: both write to us-east-1. */
function isGlobal({ eventSource, awsRegion }: TrailedRecord): boolean {
  return (
    eventSource === 'iam.amazonaws.com' ||
    (eventSource === 'sts.amazonaws.com' && awsRegion === 'us-east-1')
  )
}
