/**
 * GetAccessKeyInfo — returns the account of an access key id, active or not.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
 * @module
 */
import type { GetAccessKeyInfoRequest, GetAccessKeyInfoResponse } from '@aws-sdk/client-sts'
import { KmsError } from '../../errors.ts'
import { accountOfSessionKey } from '../../model/session.ts'
import { required, text } from '../../model/shape.ts'
import { stsOperation } from '../contract/query-operation.ts'

export const getAccessKeyInfo = stsOperation<GetAccessKeyInfoRequest, GetAccessKeyInfoResponse>()({
  name: 'GetAccessKeyInfo',
  input: { AccessKeyId: required(text({ min: 16, max: 128, pattern: '^[\\w]*$' })) },
  permissions: () => [{ action: 'sts:GetAccessKeyInfo' }],
  readOnly: true,
  audit: ['AccessKeyId'],
  throws: ['ValidationException', 'AccessDeniedException'],
  async run({ input: { AccessKeyId } }, { store }) {
    const temporary = accountOfSessionKey(AccessKeyId)
    if (temporary !== undefined && (await store.findAccount(temporary)) !== undefined) {
      return { Account: temporary }
    }
    const known = await store.findAccessKey(AccessKeyId)
    if (known !== undefined) return { Account: known.accountId }
    throw new KmsError('ValidationException', 'Access key does not exist')
  },
})
