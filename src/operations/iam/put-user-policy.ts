/**
 * PutUserPolicy — writes one inline policy of a user; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
 * @module
 */
import type { PutUserPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { withInlinePolicy } from './inline-policies.ts'
import { checkName, policyDocument, policyName, userName } from './members.ts'
import { requiredUser } from './required-user.ts'

export const putUserPolicy = iamOperation<PutUserPolicyRequest, void>()({
  name: 'PutUserPolicy',
  input: {
    UserName: required(userName),
    PolicyName: required(policyName),
    PolicyDocument: required(policyDocument),
  },
  user: { from: 'UserName', action: 'iam:PutUserPolicy' },
  readOnly: false,
  audit: ['UserName', 'PolicyName', 'PolicyDocument'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
  ],
  check({ UserName, PolicyName }) {
    checkName('userName', UserName)
    checkName('policyName', PolicyName)
  },
  async run({ input, user, commit }) {
    const known = requiredUser(user)
    const { PolicyName, PolicyDocument } = input
    const inlinePolicies = withInlinePolicy('user', known, PolicyName, PolicyDocument)
    await commit(async (transaction) => {
      await transaction.updateUser(known, { inlinePolicies })
    })
  },
})
