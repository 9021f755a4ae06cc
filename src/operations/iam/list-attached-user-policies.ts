/**
 * ListAttachedUserPolicies — the managed policies that a user has.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html
 * @module
 */
import type {
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse,
} from '@aws-sdk/client-iam'
import { managedPolicyArn } from '../../model/managed-policy.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import { checkName, checkPathPrefix, marker, maxItems, newUserName, path } from './members.ts'
import { pageOf } from './page.ts'
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
  async run({ input, user, partition }, { store, pages }) {
    const { userId, attachedPolicies } = requiredUser(user)
    const { PathPrefix: pathPrefix = '/' } = input
    const found = await Promise.all(attachedPolicies.map((id) => store.findManagedPolicy(id)))
    const attached = found.flatMap((policy) =>
      policy?.path.startsWith(pathPrefix) === true ? [policy] : [],
    )
    const { rows, paging } = await pageOf(attached, ({ name }) => name, pages, {
      scope: ['ListAttachedUserPolicies', userId, pathPrefix],
      marker: input.Marker,
      limit: input.MaxItems,
    })
    const AttachedPolicies = rows.map((policy) => ({
      PolicyName: policy.name,
      PolicyArn: managedPolicyArn(partition, policy),
    }))
    return { AttachedPolicies, ...paging }
  },
})
