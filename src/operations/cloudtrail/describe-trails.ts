/**
 * DescribeTrails — describes the trails that cover the Region, or those of them that the call names.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
 * @module
 */
import type { DescribeTrailsRequest, DescribeTrailsResponse } from '@aws-sdk/client-cloudtrail'
import { trailArn } from '../../model/trail.ts'
import { boolean, list } from '../../model/shape.ts'
import { accountTrails } from './account-trails.ts'
import { describedTrail } from './shown-trail.ts'
import { checkTrailName, trailName } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'

export const describeTrails = trailOperation<DescribeTrailsRequest, DescribeTrailsResponse>()({
  name: 'DescribeTrails',
  // AWS's names of these two members begin with a lower-case letter.
  input: { trailNameList: list(trailName, { max: 100 }), includeShadowTrails: boolean() },
  permissions: () => [{ action: 'cloudtrail:DescribeTrails', unnamedResource: true }],
  readOnly: true,
  audit: ['trailNameList', 'includeShadowTrails'],
  throws: [
    'ValidationException',
    'InvalidTrailNameException',
    'CloudTrailARNInvalidException',
    'AccessDeniedException',
  ],
  check({ trailNameList = [] }) {
    for (const name of trailNameList) checkTrailName(name)
  },
  async run({ input, caller, region, partition }, { store, trails }) {
    const { trailNameList: names = [], includeShadowTrails: shadows = true } = input
    const found = (await accountTrails(caller.accountId, store, trails)).filter((trail) => {
      const home = trail.homeRegion === region
      if (!home && !(trail.multiRegion && shadows)) return false
      // A name without an ARN finds only trails whose home Region is this one.
      const called = [trailArn(partition, trail), ...(home ? [trail.name] : [])]
      return names.length === 0 || called.some((name) => names.includes(name))
    })
    return { trailList: found.map((trail) => describedTrail(partition, trail)) }
  },
})
