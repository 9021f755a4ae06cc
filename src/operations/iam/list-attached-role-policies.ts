/**
 * ListAttachedRolePolicies — the managed policies that a role has.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
 * @module
 */
import type {
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { listAttached } from './attached-policies.ts'
import { checkName, checkPathPrefix, marker, maxItems, path, roleName } from './members.ts'
import { requiredRole } from './required-role.ts'

export const listAttachedRolePolicies = iamOperation<
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse
>()({
  name: 'ListAttachedRolePolicies',
  input: { RoleName: required(roleName), PathPrefix: path, Marker: marker, MaxItems: maxItems },
  role: { from: 'RoleName', action: 'iam:ListAttachedRolePolicies' },
  readOnly: true,
  audit: ['RoleName', 'PathPrefix', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check({ RoleName, PathPrefix }) {
    checkName('roleName', RoleName)
    checkPathPrefix(PathPrefix)
  },
  run(call, ports) {
    const role = requiredRole(call.role)
    return listAttached(role, ['ListAttachedRolePolicies', role.roleId], call, ports)
  },
})
