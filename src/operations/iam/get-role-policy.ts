/**
 * GetRolePolicy — one inline policy of a role, as it was written.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
 * @module
 */
import type { GetRolePolicyRequest, GetRolePolicyResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { inlinePolicyOf } from './inline-policies.ts'
import { checkName, policyName, roleName } from './members.ts'
import { requiredRole } from './required-role.ts'
import { shownDocument } from './shown-document.ts'

export const getRolePolicy = iamOperation<GetRolePolicyRequest, GetRolePolicyResponse>()({
  name: 'GetRolePolicy',
  input: { RoleName: required(roleName), PolicyName: required(policyName) },
  role: { from: 'RoleName', action: 'iam:GetRolePolicy' },
  readOnly: true,
  audit: ['RoleName', 'PolicyName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ RoleName, PolicyName }) {
    checkName('roleName', RoleName)
    checkName('policyName', PolicyName)
  },
  async run({ input: { PolicyName }, role }) {
    const known = requiredRole(role)
    const document = inlinePolicyOf('role', known, PolicyName)
    return { RoleName: known.name, PolicyName, PolicyDocument: shownDocument(document) }
  },
})
