/**
 * GetRole — returns a role, with its trust policy and its last use.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
 * @module
 */
import type { GetRoleRequest, GetRoleResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, roleName } from './members.ts'
import { requiredRole } from './required-identity.ts'
import { shownRole } from './shown-role.ts'

export const getRole = iamOperation<GetRoleRequest, GetRoleResponse>()({
  name: 'GetRole',
  input: { RoleName: required(roleName) },
  role: { from: 'RoleName', action: 'iam:GetRole' },
  readOnly: true,
  audit: ['RoleName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  run: async ({ role, partition }, dependencies) => ({
    Role: await shownRole(partition, requiredRole(role), dependencies),
  }),
})
