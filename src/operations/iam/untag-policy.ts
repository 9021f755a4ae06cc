/**
 * UntagPolicy — takes tags from a managed policy; keys of none are no failure.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html
 * @module
 */
import type { UntagPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withoutTags } from './identity-tags.ts'
import { checkPolicyArn, ownPolicyOf, policyPermission } from './managed-policy.ts'
import { policyArn, tagKeys } from './members.ts'

export const untagPolicy = iamOperation<UntagPolicyRequest, void>()({
  name: 'UntagPolicy',
  input: { PolicyArn: required(policyArn), TagKeys: required(tagKeys) },
  permissions: ({ PolicyArn }) => policyPermission('iam:UntagPolicy', PolicyArn),
  context: ({ TagKeys }) => (TagKeys.length === 0 ? {} : { 'aws:TagKeys': TagKeys }),
  readOnly: false,
  audit: ['PolicyArn', 'TagKeys'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
  ],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call) {
    await call.commit(async (transaction) => {
      const policy = await ownPolicyOf(call.input.PolicyArn, call, transaction)
      const changed = withoutTags(policy.tags, call.input.TagKeys)
      if (sameTags(policy.tags, changed)) return
      await transaction.updateManagedPolicy(policy, { tags: changed })
    })
  },
})
