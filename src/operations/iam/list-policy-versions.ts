/**
 * ListPolicyVersions — returns the versions of a managed policy, newest first.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html
 * @module
 */
import type { ListPolicyVersionsRequest, ListPolicyVersionsResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkPolicyArn,
  listedVersion,
  managedPolicyOf,
  policyPermission,
} from './managed-policy.ts'
import { marker, maxItems, policyArn } from './members.ts'
import { pageOf } from './page.ts'

export const listPolicyVersions = iamOperation<
  ListPolicyVersionsRequest,
  ListPolicyVersionsResponse
>()({
  name: 'ListPolicyVersions',
  input: { PolicyArn: required(policyArn), Marker: marker, MaxItems: maxItems },
  permissions: ({ PolicyArn }) => policyPermission('iam:ListPolicyVersions', PolicyArn),
  readOnly: true,
  audit: ['PolicyArn', 'Marker', 'MaxItems'],
  throws: [
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ PolicyArn }) => checkPolicyArn(PolicyArn),
  async run(call, { store, pages }) {
    const { input } = call
    const policy = await managedPolicyOf(input.PolicyArn, call, store)
    const places = policy.versions.map((version, index) => ({
      version,
      // Newest first: the position from the end, padded so that it sorts as text.
      place: String(policy.versions.length - index).padStart(2, '0'),
    }))
    const { rows, paging } = await pageOf(places, ({ place }) => place, pages, {
      scope: ['ListPolicyVersions', policy.policyId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { Versions: rows.map(({ version }) => listedVersion(policy, version)), ...paging }
  },
})
