/**
 * ListPolicyTags — the tags of a managed policy by key.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html
 * @module
 */
import type { ListPolicyTagsRequest, ListPolicyTagsResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPolicyArn, managedPolicyOf, policyPermission } from './managed-policy.ts'
import { marker, maxItems, policyArn } from './members.ts'
import { pageOf } from './page.ts'

export const listPolicyTags = iamOperation<ListPolicyTagsRequest, ListPolicyTagsResponse>()({
  name: 'ListPolicyTags',
  input: { PolicyArn: required(policyArn), Marker: marker, MaxItems: maxItems },
  permissions: ({ PolicyArn }) => policyPermission('iam:ListPolicyTags', PolicyArn),
  readOnly: true,
  audit: ['PolicyArn', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { store, pages }) {
    const { input } = call
    const { policyId, tags } = await managedPolicyOf(input.PolicyArn, call, store)
    const { rows, paging } = await pageOf(tags, ({ Key }) => Key, pages, {
      scope: ['ListPolicyTags', policyId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { Tags: rows.map(({ Key, Value }) => ({ Key, Value })), ...paging }
  },
})
