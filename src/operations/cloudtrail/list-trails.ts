/**
 * ListTrails — lists the account's trails of every Region in one page.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTrails.html
 * @module
 */
import type { ListTrailsRequest, ListTrailsResponse } from '@aws-sdk/client-cloudtrail'
import { trailArn } from '../../model/trail.ts'
import { text } from '../../model/shape.ts'
import { accountTrails } from './account-trails.ts'
import { openNextToken } from './next-token.ts'
import { trailOperation } from './trail-operation.ts'

export const listTrails = trailOperation<ListTrailsRequest, ListTrailsResponse>()({
  name: 'ListTrails',
  input: { NextToken: text({ min: 1, max: 4096 }) },
  permissions: () => [{ action: 'cloudtrail:ListTrails', unnamedResource: true }],
  readOnly: true,
  audit: ['NextToken'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidNextTokenException'],
  async run({ input, caller, partition }, { store, trails, pages }) {
    // Trent issues no next token here, because an account has few trails.
    openNextToken(pages, 'ListTrails', input.NextToken)
    const found = await accountTrails(caller.accountId, store, trails)
    return {
      Trails: found.map((trail) => ({
        TrailARN: trailArn(partition, trail),
        Name: trail.name,
        HomeRegion: trail.homeRegion,
      })),
    }
  },
})
