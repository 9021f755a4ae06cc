/**
 * DetachRolePolicy — takes a managed policy from a role.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
 * @module
 */
import type { DetachRolePolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { detachPolicy } from './attached-policies.ts'
import { checkPolicyArn } from './managed-policy.ts'
import { checkName, policyArn, roleName } from './members.ts'
import { changeableRole } from './required-role.ts'

export const detachRolePolicy = iamOperation<DetachRolePolicyRequest, void>()({
  name: 'DetachRolePolicy',
  input: { RoleName: required(roleName), PolicyArn: required(policyArn) },
  role: { from: 'RoleName', action: 'iam:DetachRolePolicy' },
  context: ({ PolicyArn }) => ({ 'iam:PolicyARN': PolicyArn }),
  readOnly: false,
  audit: ['RoleName', 'PolicyArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
  ],
  check({ RoleName, PolicyArn }) {
    checkName('roleName', RoleName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const role = changeableRole(call.role)
    await call.commit(async (transaction) => {
      const attachedPolicies = await detachPolicy(role, call.input.PolicyArn, call, transaction)
      await transaction.updateRole(role, { attachedPolicies })
    })
  },
})
