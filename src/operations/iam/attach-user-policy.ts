/**
 * AttachUserPolicy — gives a user a managed policy; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
 * @module
 */
import type { AttachUserPolicyRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import { checkPolicyArn, managedPolicyOf } from './managed-policy.ts'
import { checkName, newUserName, policyArn } from './members.ts'
import { requiredUser } from './required-user.ts'

const attachedMax = 10

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
    'LimitExceededException',
  ],
  check({ UserName, PolicyArn }) {
    checkName('userName', UserName)
    checkPolicyArn(PolicyArn)
  },
  async run(call) {
    const user = requiredUser(call.user)
    await call.commit(async (transaction) => {
      const policy = await managedPolicyOf(call.input.PolicyArn, call, transaction)
      const { attachedPolicies } = user
      // AWS answers success to the second attachment of a policy.
      if (attachedPolicies.includes(policy.policyId)) return
      if (attachedPolicies.length >= attachedMax) {
        const message = `Cannot exceed quota for PoliciesPerUser: ${attachedMax}`
        throw new KmsError('LimitExceededException', message)
      }
      await transaction.updateManagedPolicy(policy, { attachments: policy.attachments + 1 })
      await transaction.updateUser(user, {
        attachedPolicies: [...attachedPolicies, policy.policyId],
      })
    })
  },
})
