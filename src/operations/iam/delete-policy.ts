/**
 * DeletePolicy — deletes a managed policy that no identity has, attached or as a boundary.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
 * @module
 */
import type { DeletePolicyRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPolicyArn, ownPolicyOf, policyPermission } from './managed-policy.ts'
import { policyArn } from './members.ts'

export const deletePolicy = iamOperation<DeletePolicyRequest, void>()({
  name: 'DeletePolicy',
  input: { PolicyArn: required(policyArn) },
  permissions: ({ PolicyArn }) => policyPermission('iam:DeletePolicy', PolicyArn),
  readOnly: false,
  audit: ['PolicyArn'],
  throws: [
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'DeleteConflictException',
  ],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call) {
    await call.commit(async (transaction) => {
      const policy = await ownPolicyOf(call.input.PolicyArn, call, transaction)
      if (policy.attachments + policy.boundaries > 0) {
        const message = 'Cannot delete a policy attached to entities.'
        throw new KmsError('DeleteConflictException', message)
      }
      if (policy.versions.length > 1) {
        const message =
          'This policy has more than one version. Before you delete a policy, you must delete the ' +
          "policy's versions. The default version is deleted with the policy."
        throw new KmsError('DeleteConflictException', message)
      }
      await transaction.deleteManagedPolicy(policy)
    })
  },
})
