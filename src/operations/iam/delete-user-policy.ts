/**
 * DeleteUserPolicy — takes one inline policy from a user.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html
 * @module
 */
import type { DeleteUserPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { withoutInlinePolicy } from './inline-policies.ts'
import { checkName, policyName, userName } from './members.ts'
import { requiredUser } from './required-user.ts'

export const deleteUserPolicy = iamOperation<DeleteUserPolicyRequest, void>()({
  name: 'DeleteUserPolicy',
  input: { UserName: required(userName), PolicyName: required(policyName) },
  user: { from: 'UserName', action: 'iam:DeleteUserPolicy' },
  readOnly: false,
  audit: ['UserName', 'PolicyName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ UserName, PolicyName }) {
    checkName('userName', UserName)
    checkName('policyName', PolicyName)
  },
  async run({ input, user, commit }) {
    const known = requiredUser(user)
    const inlinePolicies = withoutInlinePolicy('user', known, input.PolicyName)
    await commit(async (transaction) => {
      await transaction.updateUser(known, { inlinePolicies })
    })
  },
})
