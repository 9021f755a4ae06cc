/**
 * TagPolicy — gives a managed policy tags, or their keys other values.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html
 * @module
 */
import type { TagPolicyRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withTags } from './identity-tags.ts'
import { checkPolicyArn, ownPolicyOf, policyPermission } from './managed-policy.ts'
import { checkTags, policyArn, tags } from './members.ts'
import { requestTags } from './shown-user.ts'

export const tagPolicy = iamOperation<TagPolicyRequest, void>()({
  name: 'TagPolicy',
  input: { PolicyArn: required(policyArn), Tags: required(tags) },
  permissions: ({ PolicyArn }) => policyPermission('iam:TagPolicy', PolicyArn),
  context: ({ Tags }) => requestTags(Tags),
  readOnly: false,
  audit: ['PolicyArn', 'Tags'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'LimitExceededException',
  ],
  check({ PolicyArn, Tags }) {
    checkPolicyArn(PolicyArn)
    checkTags(Tags)
  },
  async run(call) {
    await call.commit(async (transaction) => {
      const policy = await ownPolicyOf(call.input.PolicyArn, call, transaction)
      const changed = withTags(policy.tags, call.input.Tags)
      if (sameTags(policy.tags, changed)) return
      await transaction.updateManagedPolicy(policy, { tags: changed })
    })
  },
})
