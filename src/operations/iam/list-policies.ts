/**
 * ListPolicies — returns the account's managed policies, then AWS's own, both sorted by name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
 * @module
 */
import type { ListPoliciesRequest, ListPoliciesResponse } from '@aws-sdk/client-iam'
import { isAwsManaged } from '../../model/aws-managed-policies.ts'
import type { ManagedPolicyRecord } from '../../model/managed-policy.ts'
import { boolean, oneOf } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { listedPolicy } from './managed-policy.ts'
import { checkPathPrefix, marker, maxItems, path as pathText } from './members.ts'
import { readPage } from './page.ts'
import { countedAwsPolicies } from './policy-holders.ts'
import type { Page } from '../../store/page.ts'

/** Prefixes of the names in markers: the account's policies, and AWS's. */
const own = 'own/'
const aws = 'aws/'

export const listPolicies = iamOperation<ListPoliciesRequest, ListPoliciesResponse>()({
  name: 'ListPolicies',
  input: {
    Scope: oneOf(['All', 'AWS', 'Local']),
    OnlyAttached: boolean(),
    PathPrefix: pathText,
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
    const { Scope: scope = 'All' } = input
    const onlyBoundaries = input.PolicyUsageFilter === 'PermissionsBoundary'
    const only = { pathPrefix, onlyAttached, onlyBoundaries }
    const { rows, paging } = await readPage(pages, {
      scope: [
        'ListPolicies',
        accountId,
        scope,
        pathPrefix,
        String(onlyAttached),
        String(onlyBoundaries),
      ],
      marker: input.Marker,
      limit: input.MaxItems,
      read: (page) => readPolicies(store, accountId, page, { scope, ...only }),
      nameOf: (policy) => `${isAwsManaged(policy) ? aws : own}${policy.name}`,
    })
    return { Policies: rows.map((policy) => listedPolicy(partition, policy)), ...paging }
  },
})

async function readPolicies(
  store: StoreReads,
  accountId: string,
  { after = '', limit }: Page,
  {
    scope,
    ...only
  }: {
    readonly scope: 'All' | 'AWS' | 'Local'
    readonly pathPrefix: string
    readonly onlyAttached: boolean
    readonly onlyBoundaries: boolean
  },
): Promise<readonly ManagedPolicyRecord[]> {
  const begun = after.startsWith(aws)
  const page = { limit, ...(after.startsWith(own) && { after: after.slice(own.length) }) }
  const customers =
    scope === 'AWS' || begun ? [] : await store.listManagedPolicies(accountId, { ...page, ...only })
  if (scope === 'Local' || customers.length >= limit) return customers
  const theirs = (await countedAwsPolicies(accountId, store)).filter(
    ({ name, path, attachments, boundaries }) =>
      path.startsWith(only.pathPrefix) &&
      (!begun || name > after.slice(aws.length)) &&
      (!only.onlyAttached || attachments > 0) &&
      (!only.onlyBoundaries || boundaries > 0),
  )
  return [...customers, ...theirs.slice(0, limit - customers.length)]
}
