/**
 * The managed policies of users, roles and groups: AttachUserPolicy, DetachUserPolicy,
 * ListAttachedUserPolicies, and the same for Role and Group. Changes hold from the next call on. The
 * identity's row holds the unique ids of its policies; the policy's row counts its attachments.
 * @module
 */
import type {
  AttachGroupPolicyRequest,
  AttachRolePolicyRequest,
  AttachUserPolicyRequest,
  DetachGroupPolicyRequest,
  DetachRolePolicyRequest,
  DetachUserPolicyRequest,
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse,
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse,
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse,
} from '@aws-sdk/client-iam'
import { KmsError, type ErrorCode } from '../../errors.ts'
import { isServiceRolePolicy } from '../../model/aws-managed-policies.ts'
import type { IdentityKind } from '../../model/identity.ts'
import { managedPolicyArn } from '../../model/managed-policy.ts'
import { required } from '../../model/shape.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkIdentityName,
  groups,
  operationOn,
  roles,
  usersOfShortName as users,
  type Kind,
  type NameMember,
} from './identity-kinds.ts'
import { checkPolicyArn, managedPolicyOf } from './managed-policy.ts'
import { checkPathPrefix, marker, maxItems, path, policyArn } from './members.ts'
import { pageOf } from './page.ts'

export const attachedMax = 10
const quota: Readonly<Record<IdentityKind, string>> = {
  user: 'PoliciesPerUser',
  role: 'PoliciesPerRole',
  group: 'PoliciesPerGroup',
}

interface OnePolicy {
  readonly PolicyArn: string
}

function ofOnePolicy<N extends NameMember>(name: string, kind: Kind<N>, errors: ErrorCode[]) {
  return {
    ...operationOn(kind, name, { PolicyArn: required(policyArn) }),
    context: ({ PolicyArn }: OnePolicy) => ({ 'iam:PolicyARN': PolicyArn }),
    readOnly: false,
    audit: [kind.member, 'PolicyArn'] as const,
    throws: [
      'ValidationException',
      'InvalidInputException',
      'AccessDeniedException',
      'NoSuchEntityException',
      ...errors,
    ] satisfies ErrorCode[],
    check(input: Readonly<Record<N, string>> & OnePolicy) {
      checkIdentityName(kind, input)
      checkPolicyArn(input.PolicyArn)
    },
  }
}

function attach<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...ofOnePolicy(name, kind, [
      'PolicyNotAttachableException',
      ...kind.changeErrors,
      'LimitExceededException',
    ]),
    async run(call: Call<OnePolicy, never>) {
      const { record, update } = kind.changeable(call)
      const { attachedPolicies } = record
      await call.commit(async (transaction) => {
        const policy = await managedPolicyOf(call.input.PolicyArn, call, transaction)
        if (isServiceRolePolicy(policy)) {
          const message = 'Cannot attach a Service Role Policy to a Customer Role.'
          throw new KmsError('PolicyNotAttachableException', message)
        }
        // A second attachment succeeds, as at AWS.
        if (attachedPolicies.includes(policy.policyId)) return
        if (attachedPolicies.length >= attachedMax) {
          const message = `Cannot exceed quota for ${quota[kind.kind]}: ${attachedMax}`
          throw new KmsError('LimitExceededException', message)
        }
        await transaction.updateManagedPolicy(policy, { attachments: policy.attachments + 1 })
        await update(transaction, { attachedPolicies: [...attachedPolicies, policy.policyId] })
      })
    },
  }
}

function detach<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...ofOnePolicy(name, kind, [...kind.changeErrors]),
    async run(call: Call<OnePolicy, never>) {
      const { PolicyArn: arn } = call.input
      const { record, update } = kind.changeable(call)
      await call.commit(async (transaction) => {
        const policy = await managedPolicyOf(arn, call, transaction)
        if (!record.attachedPolicies.includes(policy.policyId)) {
          throw new KmsError('NoSuchEntityException', `Policy ${arn} was not found.`)
        }
        await transaction.updateManagedPolicy(policy, { attachments: policy.attachments - 1 })
        const attachedPolicies = record.attachedPolicies.filter((id) => id !== policy.policyId)
        await update(transaction, { attachedPolicies })
      })
    },
  }
}

interface ListInput {
  readonly PathPrefix?: string
  readonly Marker?: string
  readonly MaxItems?: number
}

function listAttached<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...operationOn(kind, name, { PathPrefix: path, Marker: marker, MaxItems: maxItems }),
    readOnly: true,
    audit: [kind.member, 'PathPrefix', 'Marker', 'MaxItems'] as const,
    throws: [
      'ValidationException',
      'AccessDeniedException',
      'NoSuchEntityException',
      'InvalidMarkerException',
    ] satisfies ErrorCode[],
    check(input: Readonly<Record<N, string>> & ListInput) {
      checkIdentityName(kind, input)
      checkPathPrefix(input.PathPrefix)
    },
    async run(call: Call<ListInput, never>, { store, pages }: OperationDependencies) {
      const { PathPrefix: pathPrefix = '/', Marker, MaxItems: limit } = call.input
      const { record, uniqueId } = kind.found(call)
      const found = await Promise.all(
        record.attachedPolicies.map((id) => store.findManagedPolicy(id)),
      )
      const attached = found.flatMap((policy) =>
        policy?.path.startsWith(pathPrefix) === true ? [policy] : [],
      )
      const { rows, paging } = await pageOf(attached, ({ name: nameOf }) => nameOf, pages, {
        scope: [name, uniqueId, pathPrefix],
        marker: Marker,
        limit,
      })
      const AttachedPolicies = rows.map((policy) => ({
        PolicyName: policy.name,
        PolicyArn: managedPolicyArn(call.partition, policy),
      }))
      return { AttachedPolicies, ...paging }
    },
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html */
export const attachUserPolicy = iamOperation<AttachUserPolicyRequest, void>()(
  attach('AttachUserPolicy', users),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html */
export const attachRolePolicy = iamOperation<AttachRolePolicyRequest, void>()(
  attach('AttachRolePolicy', roles),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html */
export const attachGroupPolicy = iamOperation<AttachGroupPolicyRequest, void>()(
  attach('AttachGroupPolicy', groups),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html */
export const detachUserPolicy = iamOperation<DetachUserPolicyRequest, void>()(
  detach('DetachUserPolicy', users),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html */
export const detachRolePolicy = iamOperation<DetachRolePolicyRequest, void>()(
  detach('DetachRolePolicy', roles),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html */
export const detachGroupPolicy = iamOperation<DetachGroupPolicyRequest, void>()(
  detach('DetachGroupPolicy', groups),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html */
export const listAttachedUserPolicies = iamOperation<
  ListAttachedUserPoliciesRequest,
  ListAttachedUserPoliciesResponse
>()(listAttached('ListAttachedUserPolicies', users))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html */
export const listAttachedRolePolicies = iamOperation<
  ListAttachedRolePoliciesRequest,
  ListAttachedRolePoliciesResponse
>()(listAttached('ListAttachedRolePolicies', roles))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html */
export const listAttachedGroupPolicies = iamOperation<
  ListAttachedGroupPoliciesRequest,
  ListAttachedGroupPoliciesResponse
>()(listAttached('ListAttachedGroupPolicies', groups))
