/**
 * PutUserPolicy — writes one inline policy of a user; it holds for the next call.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
 * @module
 */
import type { PutUserPolicyRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import { checkIdentityPolicy, policySize } from './identity-policy.ts'
import { checkName, policyDocument, policyName, userName } from './members.ts'
import { requiredUser } from './required-user.ts'

/** All inline policies of one user together. */
const sizeMax = 2048
/** The same with their white space, which IAM does not bound. */
const charactersMax = 32_768

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
    checkIdentityPolicy(input.PolicyDocument)
    const inlinePolicies = { ...known.inlinePolicies, [input.PolicyName]: input.PolicyDocument }
    const documents = Object.values(inlinePolicies)
    const sizeOf = (measure: (document: string) => number): number =>
      documents.reduce((sum, document) => sum + measure(document), 0)
    if (sizeOf(policySize) > sizeMax || sizeOf(({ length }) => length) > charactersMax) {
      const message = `Maximum policy size of ${sizeMax} bytes exceeded for user ${known.name}`
      throw new KmsError('LimitExceededException', message)
    }
    await commit(async (transaction) => {
      await transaction.updateUser(known, { inlinePolicies })
    })
  },
})
