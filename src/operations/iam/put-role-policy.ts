/**
 * PutRolePolicy — writes one inline policy of a role; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 * @module
 */
import type { PutRolePolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { withInlinePolicy } from './inline-policies.ts'
import { checkName, policyDocument, policyName, roleName } from './members.ts'
import { changeableRole } from './required-role.ts'

export const putRolePolicy = iamOperation<PutRolePolicyRequest, void>()({
  name: 'PutRolePolicy',
  input: {
    RoleName: required(roleName),
    PolicyName: required(policyName),
    PolicyDocument: required(policyDocument),
  },
  role: { from: 'RoleName', action: 'iam:PutRolePolicy' },
  readOnly: false,
  audit: ['RoleName', 'PolicyName', 'PolicyDocument'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
  ],
  check({ RoleName, PolicyName }) {
    checkName('roleName', RoleName)
    checkName('policyName', PolicyName)
  },
  async run({ input: { PolicyName, PolicyDocument }, role, commit }) {
    const known = changeableRole(role)
    const inlinePolicies = withInlinePolicy('role', known, PolicyName, PolicyDocument)
    await commit(async (transaction) => {
      await transaction.updateRole(known, { inlinePolicies })
    })
  },
})
