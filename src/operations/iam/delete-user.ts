/**
 * DeleteUser — deletes a user that has no access keys, policies or groups. A later user of the same name is
 * another user.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
 * @module
 */
import type { DeleteUserRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { leaveBoundary } from './permissions-boundaries.ts'
import { checkName, userName } from './members.ts'
import { deleteConflict, requiredUser } from './required-identity.ts'

export const deleteUser = iamOperation<DeleteUserRequest, void>()({
  name: 'DeleteUser',
  input: { UserName: required(userName) },
  user: { from: 'UserName', action: 'iam:DeleteUser' },
  readOnly: false,
  audit: ['UserName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'DeleteConflictException',
  ],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ user, commit }) {
    const known = requiredUser(user)
    await commit(async (transaction) => {
      // Locks the row: a concurrent call that gives the user a key or a policy has committed, or finds
      // the user gone.
      await transaction.confirmUser(known)
      if ((await transaction.listAccessKeysOf(known.userId)).length > 0) {
        throw deleteConflict('delete access keys')
      }
      if (Object.keys(known.inlinePolicies).length > 0) throw deleteConflict('delete policies')
      if (known.groups.length > 0) throw deleteConflict('remove users from group')
      if (known.attachedPolicies.length > 0) throw deleteConflict('detach all policies')
      await leaveBoundary(known.permissionsBoundary, transaction)
      await transaction.deleteUser(known)
    })
  },
})
