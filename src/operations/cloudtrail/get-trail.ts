/**
 * GetTrail — returns one trail with its settings.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrail.html
 * @module
 */
import type { GetTrailRequest, GetTrailResponse } from '@aws-sdk/client-cloudtrail'
import { required } from '../../model/shape.ts'
import { describedTrail } from './shown-trail.ts'
import { checkTrailName, findTrail, onTrail, trailName } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const getTrail = trailOperation<GetTrailRequest, GetTrailResponse>()({
  name: 'GetTrail',
  input: { Name: required(trailName) },
  permissions: ({ Name }) => [onTrail('cloudtrail:GetTrail', Name)],
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
    return { Trail: describedTrail(call.partition, trail) }
  },
})
