/**
 * UpdateRoleDescription — changes a role's description.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html
 * @module
 */
import type {
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, roleDescription, roleName } from './members.ts'
import { requiredRole } from './required-identity.ts'
import { madeRole } from './shown-role.ts'

export const updateRoleDescription = iamOperation<
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse
>()({
  name: 'UpdateRoleDescription',
  input: { RoleName: required(roleName), Description: required(roleDescription) },
  role: { from: 'RoleName', action: 'iam:UpdateRoleDescription' },
  readOnly: false,
  audit: ['RoleName', 'Description'],
  auditResponse: ({ Role }) => ({ role: Role }),
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ input: { Description: description }, role, partition, commit }, dependencies) {
    const known = requiredRole(role)
    const Role = await madeRole(partition, { ...known, description }, dependencies)
    return commit(async (transaction) => {
      await transaction.updateRole(known, { description })
      return { Role }
    })
  },
})
