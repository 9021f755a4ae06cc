/**
 * GetCallerIdentity — returns the caller. It needs no permission, and a policy cannot deny it.
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
