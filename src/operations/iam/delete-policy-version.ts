/**
 * DeletePolicyVersion — deletes a version of a managed policy, unless it is the default.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
 * @module
 */
import type { DeletePolicyVersionRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPolicyArn, ownPolicyOf, policyPermission, versionOf } from './managed-policy.ts'
import { policyArn, versionId } from './members.ts'

export const deletePolicyVersion = iamOperation<DeletePolicyVersionRequest, void>()({
  name: 'DeletePolicyVersion',
  input: { PolicyArn: required(policyArn), VersionId: required(versionId) },
  permissions: ({ PolicyArn }) => policyPermission('iam:DeletePolicyVersion', PolicyArn),
  readOnly: false,
  audit: ['PolicyArn', 'VersionId'],
  throws: [
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'DeleteConflictException',
  ],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { clock }) {
    const { PolicyArn, VersionId } = call.input
    await call.commit(async (transaction) => {
      const policy = await ownPolicyOf(PolicyArn, call, transaction)
      const version = versionOf(PolicyArn, policy, VersionId)
      if (version.versionId === policy.defaultVersionId) {
        const message = 'Cannot delete the default version of a policy.'
        throw new KmsError('DeleteConflictException', message)
      }
      const versions = policy.versions.filter((each) => each !== version)
      await transaction.updateManagedPolicy(policy, { versions, updatedAt: clock.now() })
    })
  },
})
