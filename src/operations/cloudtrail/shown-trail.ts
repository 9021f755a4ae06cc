/** Trails in the form of responses and audit records. @module */
import { trailArn, type EventSelector as Selector, type TrailRecord } from '../../model/trail.ts'

/** The members that CreateTrail and UpdateTrail return. DescribeTrails adds more. */
export function shownTrail(
  partition: string,
  trail: TrailRecord | Omit<TrailRecord, 'rowVersion'>,
) {
  const { prefix, topicArn, kmsKeyId } = trail
  return {
    Name: trail.name,
    S3BucketName: trail.bucket,
    ...(prefix !== undefined && { S3KeyPrefix: prefix }),
    ...(topicArn !== undefined && { SnsTopicName: topicArn, SnsTopicARN: topicArn }),
    IncludeGlobalServiceEvents: trail.includeGlobalServiceEvents,
    IsMultiRegionTrail: trail.multiRegion,
    TrailARN: trailArn(partition, trail),
    LogFileValidationEnabled: trail.logFileValidation,
    ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
    IsOrganizationTrail: false,
  }
}

/** The members that DescribeTrails and GetTrail return. */
export function describedTrail(partition: string, trail: TrailRecord) {
  const [only] = trail.selectors
  const plain =
    trail.selectors.length === 1 &&
    only?.readWriteType === 'All' &&
    only.includeManagementEvents &&
    only.excludedSources.length === 0
  return {
    ...shownTrail(partition, trail),
    HomeRegion: trail.homeRegion,
    HasCustomEventSelectors: !plain,
    HasInsightSelectors: false,
  }
}

export function shownSelector(selector: Selector) {
  return {
    ReadWriteType: selector.readWriteType,
    IncludeManagementEvents: selector.includeManagementEvents,
    DataResources: [],
    ExcludeManagementEventSources: [...selector.excludedSources],
  }
}
