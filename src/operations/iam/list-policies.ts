/**
 * ListPolicies — the account's managed policies by name; AWS's own there are none.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
 * @module
 */
import type { ListPoliciesRequest, ListPoliciesResponse } from '@aws-sdk/client-iam'
import { boolean, oneOf } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import { listedPolicy } from './managed-policy.ts'
import { checkPathPrefix, marker, maxItems, path } from './members.ts'
import { readPage } from './page.ts'

export const listPolicies = iamOperation<ListPoliciesRequest, ListPoliciesResponse>()({
  name: 'ListPolicies',
  input: {
    Scope: oneOf(['All', 'AWS', 'Local']),
    OnlyAttached: boolean(),
    PathPrefix: path,
    PolicyUsageFilter: oneOf(['PermissionsPolicy', 'PermissionsBoundary']),
    Marker: marker,
    MaxItems: maxItems,
  },
  permissions: ({ PathPrefix = '/' }) => [
    {
      action: 'iam:ListPolicies',
      iamResource: `policy${PathPrefix}`,
      shown: `policy path ${PathPrefix}`,
    },
  ],
  readOnly: true,
  audit: ['Scope', 'OnlyAttached', 'PathPrefix', 'PolicyUsageFilter', 'Marker', 'MaxItems'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidMarkerException'],
  check: ({ PathPrefix }) => checkPathPrefix(PathPrefix),
  async run({ input, caller: { accountId }, partition }, { store, pages }) {
    const { PathPrefix: pathPrefix = '/', OnlyAttached: onlyAttached = false } = input
    const none = input.Scope === 'AWS'
    const onlyBoundaries = input.PolicyUsageFilter === 'PermissionsBoundary'
    const only = { pathPrefix, onlyAttached, onlyBoundaries }
    const { rows, paging } = await readPage(pages, {
      scope: ['ListPolicies', accountId, pathPrefix, String(onlyAttached), String(onlyBoundaries)],
      marker: input.Marker,
      limit: input.MaxItems,
      read: async (page) =>
        none ? [] : store.listManagedPolicies(accountId, { ...page, ...only }),
      nameOf: (policy) => policy.name,
    })
    return { Policies: rows.map((policy) => listedPolicy(partition, policy)), ...paging }
  },
})
