/**
 * PutUserPermissionsBoundary — bounds what a user's policies can give; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
 * @module
 */
import type { PutUserPermissionsBoundaryRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkBoundaryArn, leaveBoundary, requestBoundary, takeBoundary } from './boundary.ts'
import { checkName, policyArn, newUserName } from './members.ts'
import { requiredUser } from './required-user.ts'

export const putUserPermissionsBoundary = iamOperation<PutUserPermissionsBoundaryRequest, void>()({
  name: 'PutUserPermissionsBoundary',
  input: { UserName: required(newUserName), PermissionsBoundary: required(policyArn) },
  user: { from: 'UserName', action: 'iam:PutUserPermissionsBoundary' },
  context: ({ PermissionsBoundary }) => requestBoundary(PermissionsBoundary),
  readOnly: false,
  audit: ['UserName', 'PermissionsBoundary'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
  ],
  check({ UserName, PermissionsBoundary }) {
    checkName('userName', UserName)
    checkBoundaryArn(PermissionsBoundary)
  },
  async run(call) {
    const user = requiredUser(call.user)
    await call.commit(async (transaction) => {
      // The old one first: it may be the same policy.
      await leaveBoundary(user.permissionsBoundary, transaction)
      const { PermissionsBoundary } = call.input
      const permissionsBoundary = await takeBoundary(PermissionsBoundary, call, transaction)
      await transaction.updateUser(user, { permissionsBoundary })
    })
  },
})
