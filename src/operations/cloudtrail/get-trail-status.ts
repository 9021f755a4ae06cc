/**
 * GetTrailStatus — returns whether a trail is logging, and its latest deliveries and errors.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
 * @module
 */
import type { GetTrailStatusRequest, GetTrailStatusResponse } from '@aws-sdk/client-cloudtrail'
import type { TrailRecord, TrailStatus } from '../../model/trail.ts'
import { required } from '../../model/shape.ts'
import { checkTrailName, findTrail, onTrail, trailName } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const getTrailStatus = trailOperation<GetTrailStatusRequest, GetTrailStatusResponse>()({
  name: 'GetTrailStatus',
  input: { Name: required(trailName) },
  permissions: ({ Name }) => [onTrail('cloudtrail:GetTrailStatus', Name)],
  readOnly: true,
  audit: ['Name'],
  throws: [
    'ValidationException',
    'InvalidTrailNameException',
    'CloudTrailARNInvalidException',
    'AccessDeniedException',
    'TrailNotFoundException',
  ],
  check: ({ Name }) => checkTrailName(Name),
  async run(call, { store, trails }) {
    const trail = await findTrail(call.input.Name, call, store, trails)
    return shownStatus(trail, await trails.statusOf(trail))
  },
})

function shownStatus(trail: TrailRecord, status: TrailStatus): GetTrailStatusResponse {
  const { latestDeliveryAt, latestNotificationAt, latestDigestDeliveryAt } = status
  const { startedAt, stoppedAt } = trail
  const deliveredAt = iso(latestDeliveryAt)
  const notifiedAt = iso(latestNotificationAt)
  return {
    IsLogging: trail.isLogging,
    ...(status.latestDeliveryError && { LatestDeliveryError: status.latestDeliveryError }),
    ...(status.latestNotificationError && {
      LatestNotificationError: status.latestNotificationError,
    }),
    ...(status.latestDigestDeliveryError && {
      LatestDigestDeliveryError: status.latestDigestDeliveryError,
    }),
    ...(latestDeliveryAt !== undefined && { LatestDeliveryTime: new Date(latestDeliveryAt) }),
    ...(latestNotificationAt !== undefined && {
      LatestNotificationTime: new Date(latestNotificationAt),
    }),
    ...(latestDigestDeliveryAt !== undefined && {
      LatestDigestDeliveryTime: new Date(latestDigestDeliveryAt),
    }),
    ...(startedAt !== undefined && { StartLoggingTime: new Date(startedAt) }),
    ...(stoppedAt !== undefined && { StopLoggingTime: new Date(stoppedAt) }),
    // AWS repeats the times as text, empty if there is none.
    LatestDeliveryAttemptTime: iso(status.latestDeliveryAttemptAt),
    LatestDeliveryAttemptSucceeded: deliveredAt,
    LatestNotificationAttemptTime: iso(status.latestNotificationAttemptAt),
    LatestNotificationAttemptSucceeded: notifiedAt,
    TimeLoggingStarted: iso(startedAt),
    TimeLoggingStopped: iso(stoppedAt),
  }
}

function iso(time: number | undefined): string {
  return time === undefined ? '' : `${new Date(time).toISOString().slice(0, 19)}Z`
}
