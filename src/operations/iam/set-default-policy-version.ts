/**
 * SetDefaultPolicyVersion — makes a version of a managed policy its default, from the next call on.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
 * @module
 */
import type { SetDefaultPolicyVersionRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPolicyArn, ownPolicyOf, policyPermission, versionOf } from './managed-policy.ts'
import { policyArn, versionId } from './members.ts'

export const setDefaultPolicyVersion = iamOperation<SetDefaultPolicyVersionRequest, void>()({
  name: 'SetDefaultPolicyVersion',
  input: { PolicyArn: required(policyArn), VersionId: required(versionId) },
  permissions: ({ PolicyArn }) => policyPermission('iam:SetDefaultPolicyVersion', PolicyArn),
  readOnly: false,
  audit: ['PolicyArn', 'VersionId'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { clock }) {
    const { PolicyArn, VersionId } = call.input
    await call.commit(async (transaction) => {
      const policy = await ownPolicyOf(PolicyArn, call, transaction)
      const { versionId: defaultVersionId } = versionOf(PolicyArn, policy, VersionId)
      await transaction.updateManagedPolicy(policy, { defaultVersionId, updatedAt: clock.now() })
    })
  },
})
