/**
 * GetPolicyVersion — returns a version of a managed policy, with its document.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html
 * @module
 */
import type { GetPolicyVersionRequest, GetPolicyVersionResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkPolicyArn,
  managedPolicyOf,
  policyPermission,
  shownVersion,
  versionOf,
} from './managed-policy.ts'
import { policyArn, versionId } from './members.ts'

export const getPolicyVersion = iamOperation<GetPolicyVersionRequest, GetPolicyVersionResponse>()({
  name: 'GetPolicyVersion',
  input: { PolicyArn: required(policyArn), VersionId: required(versionId) },
  permissions: ({ PolicyArn }) => policyPermission('iam:GetPolicyVersion', PolicyArn),
  readOnly: true,
  audit: ['PolicyArn', 'VersionId'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { store }) {
    const { PolicyArn, VersionId } = call.input
    const policy = await managedPolicyOf(PolicyArn, call, store)
    return { PolicyVersion: shownVersion(policy, versionOf(PolicyArn, policy, VersionId)) }
  },
})
