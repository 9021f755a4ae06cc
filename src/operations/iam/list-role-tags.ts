/**
 * ListRoleTags — the tags of a role by key.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html
 * @module
 */
import type { ListRoleTagsRequest, ListRoleTagsResponse } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, roleName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredRole } from './required-role.ts'

export const listRoleTags = iamOperation<ListRoleTagsRequest, ListRoleTagsResponse>()({
  name: 'ListRoleTags',
  input: { RoleName: required(roleName), Marker: marker, MaxItems: maxItems },
  role: { from: 'RoleName', action: 'iam:ListRoleTags' },
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
    const { roleId, tags } = requiredRole(role)
    const { rows, paging } = await pageOf(tags, ({ Key }) => Key, pages, {
      scope: ['ListRoleTags', roleId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { Tags: rows.map(({ Key, Value }) => ({ Key, Value })), ...paging }
  },
})
