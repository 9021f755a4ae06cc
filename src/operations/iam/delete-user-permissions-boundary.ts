/**
 * DeleteUserPermissionsBoundary — takes a user its boundary.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html
 * @module
 */
import type { DeleteUserPermissionsBoundaryRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { leaveBoundary } from './boundary.ts'
import { checkName, newUserName } from './members.ts'
import { requiredUser } from './required-user.ts'

export const deleteUserPermissionsBoundary = iamOperation<
  DeleteUserPermissionsBoundaryRequest,
  void
>()({
  name: 'DeleteUserPermissionsBoundary',
  input: { UserName: required(newUserName) },
  user: { from: 'UserName', action: 'iam:DeleteUserPermissionsBoundary' },
  readOnly: false,
  audit: ['UserName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ user, commit }) {
    const known = requiredUser(user)
    const { permissionsBoundary } = known
    if (permissionsBoundary === undefined) {
      const message = `User ${known.name} does not have a permission boundary set.`
      throw new KmsError('NoSuchEntityException', message)
    }
    await commit(async (transaction) => {
      await leaveBoundary(permissionsBoundary, transaction)
      await transaction.updateUser(known, { permissionsBoundary: undefined })
    })
  },
})
