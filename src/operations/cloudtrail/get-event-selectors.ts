/**
 * GetEventSelectors — returns which records a trail delivers.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html
 * @module
 */
import type {
  GetEventSelectorsRequest,
  GetEventSelectorsResponse,
} from '@aws-sdk/client-cloudtrail'
import { trailArn } from '../../model/trail.ts'
import { required } from '../../model/shape.ts'
import { shownSelector } from './shown-trail.ts'
import { checkTrailName, findTrail, onTrail, trailName } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const getEventSelectors = trailOperation<
  GetEventSelectorsRequest,
  GetEventSelectorsResponse
>()({
  name: 'GetEventSelectors',
  input: { TrailName: required(trailName) },
  permissions: ({ TrailName }) => [onTrail('cloudtrail:GetEventSelectors', TrailName)],
  readOnly: true,
  audit: ['TrailName'],
  throws: [
    'ValidationException',
    'InvalidTrailNameException',
    'CloudTrailARNInvalidException',
    'AccessDeniedException',
    'TrailNotFoundException',
  ],
  check: ({ TrailName }) => checkTrailName(TrailName),
  async run(call, { store, trails }) {
    const trail = await findTrail(call.input.TrailName, call, store, trails)
    return {
      TrailARN: trailArn(call.partition, trail),
      EventSelectors: trail.selectors.map(shownSelector),
    }
  },
})
