/**
 * ListAttachedGroupPolicies — the managed policies that a group has.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html
 * @module
 */
import type {
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { listAttached } from './attached-policies.ts'
import { checkName, checkPathPrefix, marker, maxItems, path, groupName } from './members.ts'
import { requiredGroup } from './required-group.ts'

export const listAttachedGroupPolicies = iamOperation<
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse
>()({
  name: 'ListAttachedGroupPolicies',
  input: { GroupName: required(groupName), PathPrefix: path, Marker: marker, MaxItems: maxItems },
  group: { from: 'GroupName', action: 'iam:ListAttachedGroupPolicies' },
  readOnly: true,
  audit: ['GroupName', 'PathPrefix', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check({ GroupName, PathPrefix }) {
    checkName('groupName', GroupName)
    checkPathPrefix(PathPrefix)
  },
  run(call, ports) {
    const group = requiredGroup(call.group)
    return listAttached(group, ['ListAttachedGroupPolicies', group.groupId], call, ports)
  },
})
