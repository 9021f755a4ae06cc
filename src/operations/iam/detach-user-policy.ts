/**
 * DetachUserPolicy — takes a managed policy from a user.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html
 * @module
 */
import type { DetachUserPolicyRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import { checkPolicyArn, managedPolicyOf } from './managed-policy.ts'
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
      const policy = await managedPolicyOf(call.input.PolicyArn, call, transaction)
      const { policyId } = policy
      if (!user.attachedPolicies.includes(policyId)) {
        const message = `Policy ${call.input.PolicyArn} was not found.`
        throw new KmsError('NoSuchEntityException', message)
      }
      await transaction.updateManagedPolicy(policy, { attachments: policy.attachments - 1 })
      await transaction.updateUser(user, {
        attachedPolicies: user.attachedPolicies.filter((id) => id !== policyId),
      })
    })
  },
})
