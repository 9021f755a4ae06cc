/**
 * AttachRolePolicy — gives a role a managed policy; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
 * @module
 */
import type { AttachRolePolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { attachPolicy } from './attached-policies.ts'
import { checkPolicyArn } from './managed-policy.ts'
import { checkName, policyArn, roleName } from './members.ts'
import { changeableRole } from './required-role.ts'

export const attachRolePolicy = iamOperation<AttachRolePolicyRequest, void>()({
  name: 'AttachRolePolicy',
  input: { RoleName: required(roleName), PolicyArn: required(policyArn) },
  role: { from: 'RoleName', action: 'iam:AttachRolePolicy' },
  context: ({ PolicyArn }) => ({ 'iam:PolicyARN': PolicyArn }),
  readOnly: false,
  audit: ['RoleName', 'PolicyArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'PolicyNotAttachableException',
    'UnmodifiableEntityException',
    'LimitExceededException',
  ],
  check({ RoleName, PolicyArn }) {
    checkName('roleName', RoleName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const { PolicyArn } = call.input
    const role = changeableRole(call.role)
    await call.commit(async (transaction) => {
      const attachedPolicies = await attachPolicy('role', role, PolicyArn, call, transaction)
      if (attachedPolicies !== undefined) await transaction.updateRole(role, { attachedPolicies })
    })
  },
})
