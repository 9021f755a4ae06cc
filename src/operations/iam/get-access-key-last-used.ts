/**
 * GetAccessKeyLastUsed — returns the user of an access key, and when the key last signed a request.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
 * @module
 */
import type { GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { accessKeyId } from './members.ts'

export const getAccessKeyLastUsed = iamOperation<
  GetAccessKeyLastUsedRequest,
  GetAccessKeyLastUsedResponse
>()({
  name: 'GetAccessKeyLastUsed',
  input: { AccessKeyId: required(accessKeyId) },
  permissions: () => [{ action: 'iam:GetAccessKeyLastUsed' }],
  readOnly: true,
  audit: ['AccessKeyId'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  async run({ input: { AccessKeyId }, caller: { accountId } }, { store, accessKeyUses }) {
    const known = await store.findAccessKey(AccessKeyId)
    if (known?.accountId !== accountId) {
      const message = `The Access Key with id ${AccessKeyId} cannot be found.`
      throw new KmsError('NoSuchEntityException', message)
    }
    const owner =
      known.principalKind === 'user' ? await store.findUser(known.principalId) : undefined
    const last = await accessKeyUses.lastOf(AccessKeyId)
    return {
      UserName: owner?.name,
      AccessKeyLastUsed: {
        LastUsedDate: last && new Date(last.usedAt),
        ServiceName: last?.service ?? 'N/A',
        Region: last?.region ?? 'N/A',
      },
    }
  },
})
