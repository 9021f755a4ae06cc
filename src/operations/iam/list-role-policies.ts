/**
 * ListRolePolicies — the names of a role's inline policies.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
 * @module
 */
import type { ListRolePoliciesRequest, ListRolePoliciesResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, roleName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredRole } from './required-role.ts'

export const listRolePolicies = iamOperation<ListRolePoliciesRequest, ListRolePoliciesResponse>()({
  name: 'ListRolePolicies',
  input: { RoleName: required(roleName), Marker: marker, MaxItems: maxItems },
  role: { from: 'RoleName', action: 'iam:ListRolePolicies' },
  readOnly: true,
  audit: ['RoleName', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ input, role }, { pages }) {
    const { roleId, inlinePolicies } = requiredRole(role)
    const { rows, paging } = await pageOf(Object.keys(inlinePolicies), (name) => name, pages, {
      scope: ['ListRolePolicies', roleId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { PolicyNames: [...rows], ...paging }
  },
})
