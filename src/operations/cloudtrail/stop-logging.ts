/**
 * StopLogging — stops a trail. Earlier records are still delivered.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html
 * @module
 */
import type { StopLoggingRequest, StopLoggingResponse } from '@aws-sdk/client-cloudtrail'
import { required } from '../../model/shape.ts'
import { checkTrailName, onTrail, trailName, trailToChange } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const stopLogging = trailOperation<StopLoggingRequest, StopLoggingResponse>()({
  name: 'StopLogging',
  input: { Name: required(trailName) },
  permissions: ({ Name }) => [onTrail('cloudtrail:StopLogging', Name)],
  readOnly: false,
  audit: ['Name'],
  throws: [
    'ValidationException',
    'InvalidTrailNameException',
    'CloudTrailARNInvalidException',
    'AccessDeniedException',
    'InvalidHomeRegionException',
    'TrailNotFoundException',
    'OperationNotPermittedException',
  ],
  check: ({ Name }) => checkTrailName(Name),
  run: (call, { clock, trails }) =>
    call.commit(async (transaction) => {
      const trail = await trailToChange(call.input.Name, call, transaction, trails)
      await transaction.updateTrail(trail, { isLogging: false, stoppedAt: clock.now() })
      return {}
    }),
})
