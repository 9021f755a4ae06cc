/**
 * PutRolePermissionsBoundary — bounds what a role's policies can give; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
 * @module
 */
import type { PutRolePermissionsBoundaryRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkBoundaryArn, leaveBoundary, requestBoundary, takeBoundary } from './boundary.ts'
import { checkName, policyArn, roleName } from './members.ts'
import { changeableRole } from './required-role.ts'

export const putRolePermissionsBoundary = iamOperation<PutRolePermissionsBoundaryRequest, void>()({
  name: 'PutRolePermissionsBoundary',
  input: { RoleName: required(roleName), PermissionsBoundary: required(policyArn) },
  role: { from: 'RoleName', action: 'iam:PutRolePermissionsBoundary' },
  context: ({ PermissionsBoundary }) => requestBoundary(PermissionsBoundary),
  readOnly: false,
  audit: ['RoleName', 'PermissionsBoundary'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
  ],
  check({ RoleName, PermissionsBoundary }) {
    checkName('roleName', RoleName)
    checkBoundaryArn(PermissionsBoundary)
  },
  async run(call) {
    const role = changeableRole(call.role)
    await call.commit(async (transaction) => {
      // The old one first: it may be the same policy.
      await leaveBoundary(role.permissionsBoundary, transaction)
      const { PermissionsBoundary } = call.input
      const permissionsBoundary = await takeBoundary(PermissionsBoundary, call, transaction)
      await transaction.updateRole(role, { permissionsBoundary })
    })
  },
})
