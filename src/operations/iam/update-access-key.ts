/**
 * UpdateAccessKey — activates or deactivates an access key, from the next request on.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
 * @module
 */
import type { UpdateAccessKeyRequest } from '@aws-sdk/client-iam'
import { oneOf, required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { accessKeyId, checkName, userName } from './members.ts'
import { accessKeyOf, ownerOfKeys } from './access-key-owner.ts'

export const updateAccessKey = iamOperation<UpdateAccessKeyRequest, void>()({
  name: 'UpdateAccessKey',
  input: {
    UserName: userName,
    AccessKeyId: required(accessKeyId),
    Status: required(oneOf(['Active', 'Inactive'])),
  },
  user: { from: 'UserName', action: 'iam:UpdateAccessKey', absent: 'caller' },
  readOnly: false,
  audit: ['UserName', 'AccessKeyId', 'Status'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidInputException',
  ],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ input, user, commit }) {
    const owner = ownerOfKeys(user)
    await commit(async (transaction) => {
      const key = await accessKeyOf(owner, input.AccessKeyId, transaction)
      await transaction.updateAccessKey(key, { status: input.Status })
    })
  },
})
