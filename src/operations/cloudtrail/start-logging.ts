/**
 * StartLogging — starts the delivery of records.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartLogging.html
 * @module
 */
import type { StartLoggingRequest, StartLoggingResponse } from '@aws-sdk/client-cloudtrail'
import { required } from '../../model/shape.ts'
import { checkTrailName, onTrail, trailName, trailToChange } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const startLogging = trailOperation<StartLoggingRequest, StartLoggingResponse>()({
  name: 'StartLogging',
  input: { Name: required(trailName) },
  permissions: ({ Name }) => [onTrail('cloudtrail:StartLogging', Name)],
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
      await transaction.updateTrail(trail, { isLogging: true, startedAt: clock.now() })
      return {}
    }),
})
