/**
 * DeleteAccessKey — deletes an access key for good.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
 * @module
 */
import type { DeleteAccessKeyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { accessKeyId, checkName, userName } from './members.ts'
import { accessKeyOf, ownerOfKeys } from './access-key-owner.ts'

export const deleteAccessKey = iamOperation<DeleteAccessKeyRequest, void>()({
  name: 'DeleteAccessKey',
  input: { UserName: userName, AccessKeyId: required(accessKeyId) },
  user: { from: 'UserName', action: 'iam:DeleteAccessKey', absent: 'caller' },
  readOnly: false,
  audit: ['UserName', 'AccessKeyId'],
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
      await transaction.deleteAccessKey(await accessKeyOf(owner, input.AccessKeyId, transaction))
    })
  },
})
