/**
 * ListPublicKeys — returns the public keys that verify digest files of a time range, by default of now.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
 * @module
 */
import type { ListPublicKeysRequest, ListPublicKeysResponse } from '@aws-sdk/client-cloudtrail'
import { KmsError } from '../../errors.ts'
import { text, timestamp } from '../../model/shape.ts'
import { openNextToken } from './next-token.ts'
import { trailOperation } from './trail-operation.ts'

export const listPublicKeys = trailOperation<ListPublicKeysRequest, ListPublicKeysResponse>()({
  name: 'ListPublicKeys',
  input: {
    StartTime: timestamp(),
    EndTime: timestamp(),
    NextToken: text({ min: 1, max: 4096 }),
  },
  permissions: () => [{ action: 'cloudtrail:ListPublicKeys', unnamedResource: true }],
  readOnly: true,
  audit: ['StartTime', 'EndTime', 'NextToken'],
  throws: [
    'ValidationException',
    'InvalidTimeRangeException',
    'AccessDeniedException',
    'InvalidTokenException',
  ],
  check({ StartTime, EndTime }) {
    if (StartTime !== undefined && EndTime !== undefined && EndTime < StartTime) {
      throw new KmsError(
        'InvalidTimeRangeException',
        'The start time must be before or at the end time.',
      )
    }
  },
  async run({ input }, { clock, pages, trails }) {
    // Trent issues no next token here, because the keys are few.
    openNextToken(pages, 'ListPublicKeys', input.NextToken, 'InvalidTokenException')
    const now = clock.now()
    const from = input.StartTime?.getTime() ?? Math.min(now, input.EndTime?.getTime() ?? now)
    const until = input.EndTime?.getTime() ?? Math.max(now, from)
    const keys = await trails.digestPublicKeys(from, until)
    return {
      PublicKeyList: keys.map(({ value, fingerprint, validFrom, validUntil }) => ({
        Value: value,
        ValidityStartTime: new Date(validFrom),
        ValidityEndTime: new Date(validUntil),
        Fingerprint: fingerprint,
      })),
    }
  },
})
