/**
 * AttachUserPolicy — gives a user a managed policy; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
 * @module
 */
import type { AttachUserPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { attachPolicy } from './attached-policies.ts'
import { checkPolicyArn } from './managed-policy.ts'
import { checkName, newUserName, policyArn } from './members.ts'
import { requiredUser } from './required-user.ts'

export const attachUserPolicy = iamOperation<AttachUserPolicyRequest, void>()({
  name: 'AttachUserPolicy',
  input: { UserName: required(newUserName), PolicyArn: required(policyArn) },
  user: { from: 'UserName', action: 'iam:AttachUserPolicy' },
  context: ({ PolicyArn }) => ({ 'iam:PolicyARN': PolicyArn }),
  readOnly: false,
  audit: ['UserName', 'PolicyArn'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'PolicyNotAttachableException',
    'LimitExceededException',
  ],
  check({ UserName, PolicyArn }) {
    checkName('userName', UserName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const user = requiredUser(call.user)
    await call.commit(async (transaction) => {
      const attachedPolicies = await attachPolicy(
        'user',
        user,
        call.input.PolicyArn,
        call,
        transaction,
      )
      if (attachedPolicies !== undefined) await transaction.updateUser(user, { attachedPolicies })
    })
  },
})
