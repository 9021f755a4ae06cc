/**
 * GetKeyLastUsage — returns the last cryptographic use of a key: time, request and operation.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
 * @module
 */
import type { GetKeyLastUsageRequest, GetKeyLastUsageResponse } from '@aws-sdk/client-kms'
import { anyState } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { requiredKeyId } from './members.ts'

export const getKeyLastUsage = operation<GetKeyLastUsageRequest, GetKeyLastUsageResponse>()({
  name: 'GetKeyLastUsage',
  input: { KeyId: requiredKeyId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:GetKeyLastUsage',
      crossAccount: false,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId'],
  throws: ['InvalidArnException', 'NotFoundException', 'AccessDeniedException'],
  async run({ keys: { key } }, { keyUsages, clock }) {
    const last = await keyUsages.lastOf(key)
    // A row that failed its check, or was removed, proves nothing about the time before now.
    const since = last?.unproved === true ? clock.now() : keyUsages.since
    return {
      KeyId: key.keyId,
      KeyLastUsage:
        last && last.unproved !== true
          ? {
              Operation: last.operation,
              Timestamp: new Date(last.usedAt),
              CloudTrailEventId: last.eventId,
              KmsRequestId: last.requestId,
            }
          : {},
      TrackingStartDate: new Date(Math.max(since, key.createdAt)),
      KeyCreationDate: new Date(key.createdAt),
    }
  },
})
