/**
 * GetUserPolicy — one inline policy of a user, as it was written.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html
 * @module
 */
import type { GetUserPolicyRequest, GetUserPolicyResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { inlinePolicyOf } from './inline-policies.ts'
import { checkName, policyName, userName } from './members.ts'
import { requiredUser } from './required-user.ts'
import { shownDocument } from './shown-document.ts'

export const getUserPolicy = iamOperation<GetUserPolicyRequest, GetUserPolicyResponse>()({
  name: 'GetUserPolicy',
  input: { UserName: required(userName), PolicyName: required(policyName) },
  user: { from: 'UserName', action: 'iam:GetUserPolicy' },
  readOnly: true,
  audit: ['UserName', 'PolicyName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ UserName, PolicyName }) {
    checkName('userName', UserName)
    checkName('policyName', PolicyName)
  },
  async run({ input: { PolicyName }, user }) {
    const known = requiredUser(user)
    const document = inlinePolicyOf('user', known, PolicyName)
    return { UserName: known.name, PolicyName, PolicyDocument: shownDocument(document) }
  },
})
