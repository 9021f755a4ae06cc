/**
 * GetCallerIdentity — who signed the call. Takes no permission, and none can be denied.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 * @module
 */
import type { GetCallerIdentityRequest, GetCallerIdentityResponse } from '@aws-sdk/client-sts'
import { stsOperation } from '../contract/query-operation.ts'

export const getCallerIdentity = stsOperation<
  GetCallerIdentityRequest,
  GetCallerIdentityResponse
>()({
  name: 'GetCallerIdentity',
  input: {},
  readOnly: true,
  audit: [],
  throws: [],
  run({ caller: { uniqueId, accountId, arn } }) {
    return Promise.resolve({ UserId: uniqueId, Account: accountId, Arn: arn })
  },
})
