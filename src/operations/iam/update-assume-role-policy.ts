/**
 * UpdateAssumeRolePolicy — replaces a role's trust policy, from the next call on.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
 * @module
 */
import type { UpdateAssumeRolePolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, policyDocument, roleName } from './members.ts'
import { changeableRole } from './required-identity.ts'

export const updateAssumeRolePolicy = iamOperation<UpdateAssumeRolePolicyRequest, void>()({
  name: 'UpdateAssumeRolePolicy',
  input: { RoleName: required(roleName), PolicyDocument: required(policyDocument) },
  role: { from: 'RoleName', action: 'iam:UpdateAssumeRolePolicy' },
  readOnly: false,
  audit: ['RoleName', 'PolicyDocument'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
  ],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ input: { PolicyDocument: trustPolicy }, role, partition, commit }, dependencies) {
    const known = changeableRole(role)
    const trustPrincipals = await dependencies.trustPolicies.check(trustPolicy, { partition })
    await commit(async (transaction) => {
      await transaction.updateRole(known, { trustPolicy, trustPrincipals })
    })
  },
})
