/**
 * UpdateRole — changes a role's description and maximum session duration. Members that are left out do not
 * change.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
 * @module
 */
import type { UpdateRoleRequest, UpdateRoleResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, maxSessionDuration, roleDescription, roleName } from './members.ts'
import { changeableRole, requiredRole } from './required-identity.ts'

export const updateRole = iamOperation<UpdateRoleRequest, UpdateRoleResponse>()({
  name: 'UpdateRole',
  input: {
    RoleName: required(roleName),
    Description: roleDescription,
    MaxSessionDuration: maxSessionDuration,
  },
  role: { from: 'RoleName', action: 'iam:UpdateRole' },
  readOnly: false,
  audit: ['RoleName', 'Description', 'MaxSessionDuration'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
  ],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ input, role, commit }) {
    const { Description: description, MaxSessionDuration: maxSessionSeconds } = input
    // Of a service-linked role, its account can change only the description.
    const known = maxSessionSeconds === undefined ? requiredRole(role) : changeableRole(role)
    return commit(async (transaction) => {
      await transaction.updateRole(known, {
        ...(description !== undefined && { description }),
        ...(maxSessionSeconds !== undefined && { maxSessionSeconds }),
      })
      return {}
    })
  },
})
