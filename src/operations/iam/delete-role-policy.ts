/**
 * DeleteRolePolicy — takes one inline policy from a role.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
 * @module
 */
import type { DeleteRolePolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { withoutInlinePolicy } from './inline-policies.ts'
import { checkName, policyName, roleName } from './members.ts'
import { changeableRole } from './required-role.ts'

export const deleteRolePolicy = iamOperation<DeleteRolePolicyRequest, void>()({
  name: 'DeleteRolePolicy',
  input: { RoleName: required(roleName), PolicyName: required(policyName) },
  role: { from: 'RoleName', action: 'iam:DeleteRolePolicy' },
  readOnly: false,
  audit: ['RoleName', 'PolicyName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
  ],
  check({ RoleName, PolicyName }) {
    checkName('roleName', RoleName)
    checkName('policyName', PolicyName)
  },
  async run({ input, role, commit }) {
    const known = changeableRole(role)
    const inlinePolicies = withoutInlinePolicy('role', known, input.PolicyName)
    await commit(async (transaction) => {
      await transaction.updateRole(known, { inlinePolicies })
    })
  },
})
