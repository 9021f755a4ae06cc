/**
 * ListInstanceProfilesForRole — returns an empty list: Trent has no instances. Clients such as Terraform
 * call it before they delete a role.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html
 * @module
 */
import type {
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, marker, maxItems, roleName } from './members.ts'
import { pageOf } from './page.ts'
import { requiredRole } from './required-identity.ts'

export const listInstanceProfilesForRole = iamOperation<
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse
>()({
  name: 'ListInstanceProfilesForRole',
  input: { RoleName: required(roleName), Marker: marker, MaxItems: maxItems },
  role: { from: 'RoleName', action: 'iam:ListInstanceProfilesForRole' },
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
    const { roleId } = requiredRole(role)
    const { paging } = await pageOf<string>([], (name) => name, pages, {
      scope: ['ListInstanceProfilesForRole', roleId],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    return { InstanceProfiles: [], ...paging }
  },
})
