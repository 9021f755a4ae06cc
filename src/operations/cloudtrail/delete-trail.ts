/**
 * DeleteTrail — deletes a trail. Delivered files stay.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html
 * @module
 */
import type { DeleteTrailRequest, DeleteTrailResponse } from '@aws-sdk/client-cloudtrail'
import { required } from '../../model/shape.ts'
import { checkTrailName, onTrail, trailName, trailToChange } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const deleteTrail = trailOperation<DeleteTrailRequest, DeleteTrailResponse>()({
  name: 'DeleteTrail',
  input: { Name: required(trailName) },
  permissions: ({ Name }) => [onTrail('cloudtrail:DeleteTrail', Name)],
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
  run: (call, { trails }) =>
    call.commit(async (transaction) => {
      const trail = await trailToChange(call.input.Name, call, transaction, trails)
      await transaction.deleteTrail(trail)
      return {}
    }),
})
