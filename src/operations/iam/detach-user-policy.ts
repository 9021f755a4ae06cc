/**
 * DetachUserPolicy — takes a managed policy from a user.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html
 * @module
 */
import type { DetachUserPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { detachPolicy } from './attached-policies.ts'
import { checkPolicyArn } from './managed-policy.ts'
import { checkName, newUserName, policyArn } from './members.ts'
import { requiredUser } from './required-user.ts'

export const detachUserPolicy = iamOperation<DetachUserPolicyRequest, void>()({
  name: 'DetachUserPolicy',
  input: { UserName: required(newUserName), PolicyArn: required(policyArn) },
  user: { from: 'UserName', action: 'iam:DetachUserPolicy' },
  context: ({ PolicyArn }) => ({ 'iam:PolicyARN': PolicyArn }),
  readOnly: false,
  audit: ['UserName', 'PolicyArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
  ],
  check({ UserName, PolicyArn }) {
    checkName('userName', UserName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const user = requiredUser(call.user)
    await call.commit(async (transaction) => {
      const attachedPolicies = await detachPolicy(user, call.input.PolicyArn, call, transaction)
      await transaction.updateUser(user, { attachedPolicies })
    })
  },
})
