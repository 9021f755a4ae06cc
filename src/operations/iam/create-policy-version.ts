/**
 * CreatePolicyVersion — adds a version to a managed policy, and makes it the default on request.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
 * @module
 */
import type { CreatePolicyVersionRequest, CreatePolicyVersionResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { boolean, required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkManagedPolicy,
  checkPolicyArn,
  listedVersion,
  ownPolicyOf,
  policyPermission,
  versionsMax,
} from './managed-policy.ts'
import { policyArn, policyDocument } from './members.ts'

export const createPolicyVersion = iamOperation<
  CreatePolicyVersionRequest,
  CreatePolicyVersionResponse
>()({
  name: 'CreatePolicyVersion',
  input: {
    PolicyArn: required(policyArn),
    PolicyDocument: required(policyDocument),
    SetAsDefault: boolean(),
  },
  permissions: ({ PolicyArn }) => policyPermission('iam:CreatePolicyVersion', PolicyArn),
  readOnly: false,
  audit: ['PolicyArn', 'PolicyDocument', 'SetAsDefault'],
  auditResponse: ({ PolicyVersion }) => ({ policyVersion: PolicyVersion }),
  throws: [
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
  ],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { clock }) {
    const { PolicyArn, PolicyDocument: document, SetAsDefault = false } = call.input
    checkManagedPolicy(document)
    const createdAt = clock.now()
    return call.commit(async (transaction) => {
      const policy = await ownPolicyOf(PolicyArn, call, transaction)
      if (policy.versions.length >= versionsMax) {
        const message =
          `A managed policy can have up to ${versionsMax} versions. ` +
          'Before you create a new version, you must delete an existing version.'
        throw new KmsError('LimitExceededException', message)
      }
      const version = { versionId: `v${policy.nextVersion}`, document, createdAt }
      const updated = await transaction.updateManagedPolicy(policy, {
        versions: [...policy.versions, version],
        nextVersion: policy.nextVersion + 1,
        updatedAt: createdAt,
        ...(SetAsDefault && { defaultVersionId: version.versionId }),
      })
      return { PolicyVersion: listedVersion(updated, version) }
    })
  },
})
