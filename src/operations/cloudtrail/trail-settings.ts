/** Checks and reads the settings in CreateTrail and UpdateTrail. @module */
import { KmsError } from '../../errors.ts'
import { formatArn, parseArn } from '../../model/arn.ts'
import { keyArn } from '../../model/key.ts'
import type { TrailRecord } from '../../model/trail.ts'
import { boolean, text } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

export const settingMembers = {
  S3BucketName: text({ max: 256 }),
  S3KeyPrefix: text({ max: 1024 }),
  SnsTopicName: text({ max: 1024 }),
  IncludeGlobalServiceEvents: boolean(),
  IsMultiRegionTrail: boolean(),
  EnableLogFileValidation: boolean(),
  CloudWatchLogsLogGroupArn: text({ max: 2048 }),
  CloudWatchLogsRoleArn: text({ max: 2048 }),
  KmsKeyId: text({ max: 2048 }),
  IsOrganizationTrail: boolean(),
  RecursiveLogging: boolean(),
}

export interface GivenSettings {
  readonly S3BucketName?: string
  readonly S3KeyPrefix?: string
  readonly SnsTopicName?: string
  readonly IncludeGlobalServiceEvents?: boolean
  readonly IsMultiRegionTrail?: boolean
  readonly EnableLogFileValidation?: boolean
  readonly CloudWatchLogsLogGroupArn?: string
  readonly CloudWatchLogsRoleArn?: string
  readonly KmsKeyId?: string
  readonly IsOrganizationTrail?: boolean
  readonly RecursiveLogging?: boolean
}

const prefixMax = 200

/** Checks that need only the input. @throws {KmsError} */
export function checkSettings(given: GivenSettings): void {
  const { S3BucketName: bucket, S3KeyPrefix: prefix, SnsTopicName: topic } = given
  if (bucket !== undefined && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new KmsError('InvalidS3BucketNameException', `Bucket name ${bucket} is invalid.`)
  }
  if (prefix !== undefined && prefix.length > prefixMax) {
    throw new KmsError(
      'InvalidS3PrefixException',
      `S3 prefix is longer than maximum length: ${prefix}`,
    )
  }
  // The prefix becomes part of file names.
  const wellFormed = /^([\w!.*'()-]+\/)*[\w!.*'()-]+\/?$/
  if (prefix !== undefined && prefix !== '' && (!wellFormed.test(prefix) || climbs(prefix))) {
    throw new KmsError('InvalidS3PrefixException', `S3 prefix ${prefix} is invalid.`)
  }
  if (
    topic !== undefined &&
    topic !== '' &&
    !/^(arn:[\w:-]+:)?[\w-]{1,256}(\.fifo)?$/.test(topic)
  ) {
    throw new KmsError('InvalidSnsTopicNameException', `SNS topic name ${topic} is invalid.`)
  }
  const { IsMultiRegionTrail: everywhere, IncludeGlobalServiceEvents: global } = given
  if (everywhere === true && global === false) {
    throw new KmsError(
      'InvalidParameterCombinationException',
      'Multi-Region trail must include global service events.',
    )
  }
  const unknown = (
    [
      'CloudWatchLogsLogGroupArn',
      'CloudWatchLogsRoleArn',
      'IsOrganizationTrail',
      'RecursiveLogging',
    ] as const
  ).find((name) => given[name] === true || (typeof given[name] === 'string' && given[name] !== ''))
  if (unknown !== undefined) {
    throw new KmsError('UnsupportedOperationException', `${unknown} is not supported`)
  }
}

/**
 * Files lie below `AWSLogs/<account>`: with such a prefix, a caller could write among another account's
 * files.
 */
function climbs(prefix: string): boolean {
  return prefix.split('/').some((part) => /^(\.|\.\.|awslogs)$/i.test(part))
}

type Settings = Pick<
  TrailRecord,
  'bucket' | 'prefix' | 'multiRegion' | 'includeGlobalServiceEvents' | 'logFileValidation'
> &
  Pick<TrailRecord, 'kmsKeyId' | 'topicArn'>

/**
 * Returns the trail settings after the call. An empty text removes an optional setting.
 * @throws {KmsError} `S3BucketDoesNotExistException`, `KmsKeyNotFoundException`, …
 */
export async function settingsOf(
  given: GivenSettings,
  before: Settings,
  call: Pick<Call<unknown, never>, 'caller' | 'partition' | 'region'>,
  store: Pick<StoreReads, 'findKey' | 'findAlias'>,
  trails: OperationDependencies['trails'],
): Promise<Settings> {
  const bucket = given.S3BucketName ?? before.bucket
  if (!trails.acceptsBucket(bucket, call.caller.accountId)) {
    throw new KmsError('S3BucketDoesNotExistException', `S3 bucket ${bucket} does not exist!`)
  }
  const { S3KeyPrefix = before.prefix, SnsTopicName = before.topicArn } = given
  const prefix = S3KeyPrefix?.replace(/\/$/, '')
  const topicArn = SnsTopicName && topicArnOf(SnsTopicName, call)
  const kmsKeyId =
    given.KmsKeyId === undefined
      ? before.kmsKeyId
      : await encryptionKeyOf(given.KmsKeyId, call, store, trails)
  const multiRegion = given.IsMultiRegionTrail ?? before.multiRegion
  return {
    bucket,
    ...(prefix && { prefix }),
    multiRegion,
    includeGlobalServiceEvents:
      multiRegion || (given.IncludeGlobalServiceEvents ?? before.includeGlobalServiceEvents),
    logFileValidation: given.EnableLogFileValidation ?? before.logFileValidation,
    ...(topicArn && { topicArn }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
  }
}

function topicArnOf(
  topic: string,
  {
    caller: { accountId },
    partition,
    region,
  }: Pick<Call<unknown, never>, 'caller' | 'partition' | 'region'>,
): string {
  if (topic.startsWith('arn:')) return topic
  return formatArn({ partition, service: 'sns', region, accountId, resource: topic })
}

/** Returns the ARN of the key that encrypts files; undefined if the call turns encryption off. */
async function encryptionKeyOf(
  identifier: string,
  { caller, partition, region }: Pick<Call<unknown, never>, 'caller' | 'partition' | 'region'>,
  store: Pick<StoreReads, 'findKey' | 'findAlias'>,
  trails: OperationDependencies['trails'],
): Promise<string | undefined> {
  if (identifier === '') return undefined
  if (!trails.encrypts) {
    throw new KmsError(
      'UnsupportedOperationException',
      'log files are not encrypted under a KMS key where they are delivered to',
    )
  }
  const arn = parseArn(identifier)
  const place = { accountId: arn?.accountId ?? caller.accountId, region: arn?.region ?? region }
  const resource = arn?.resource ?? identifier
  const named = resource.startsWith('alias/')
    ? (await store.findAlias({ ...place, name: resource }))?.targetKeyId
    : resource.replace(/^key\//, '')
  const key = named === undefined ? undefined : await store.findKey({ ...place, keyId: named })
  // A key of another account gives the same error as a missing one, so its existence is not revealed.
  if (key === undefined || key.accountId !== caller.accountId) {
    throw new KmsError('KmsKeyNotFoundException', `KMS key ${identifier} cannot be found.`)
  }
  return keyArn(partition, key)
}
