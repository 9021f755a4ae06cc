/**
 * ListAttachedUserPolicies — the managed policies that a user has.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html
 * @module
 */
import type {
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse,
} from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { listAttached } from './attached-policies.ts'
import { checkName, checkPathPrefix, marker, maxItems, newUserName, path } from './members.ts'
import { requiredUser } from './required-user.ts'

export const listAttachedUserPolicies = iamOperation<
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse
>()({
  name: 'ListAttachedUserPolicies',
  input: {
    UserName: required(newUserName),
    PathPrefix: path,
    Marker: marker,
    MaxItems: maxItems,
  },
  user: { from: 'UserName', action: 'iam:ListAttachedUserPolicies' },
  readOnly: true,
  audit: ['UserName', 'PathPrefix', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check({ UserName, PathPrefix }) {
    checkName('userName', UserName)
    checkPathPrefix(PathPrefix)
  },
  run(call, ports) {
    const user = requiredUser(call.user)
    return listAttached(user, ['ListAttachedUserPolicies', user.userId], call, ports)
  },
})
