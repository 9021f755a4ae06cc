/**
 * The inline policies of users, roles and groups: PutUserPolicy, GetUserPolicy, DeleteUserPolicy,
 * ListUserPolicies, and the same for Role and Group. Changes hold from the next call on. The identity's row
 * holds the documents by name, as they were written.
 * @module
 */
import type {
  DeleteGroupPolicyRequest,
  DeleteRolePolicyRequest,
  DeleteUserPolicyRequest,
  GetGroupPolicyRequest,
  GetGroupPolicyResponse,
  GetRolePolicyRequest,
  GetRolePolicyResponse,
  GetUserPolicyRequest,
  GetUserPolicyResponse,
  ListGroupPoliciesRequest,
  ListGroupPoliciesResponse,
  ListRolePoliciesRequest,
  ListRolePoliciesResponse,
  ListUserPoliciesRequest,
  ListUserPoliciesResponse,
  PutGroupPolicyRequest,
  PutRolePolicyRequest,
  PutUserPolicyRequest,
} from '@aws-sdk/client-iam'
import { KmsError, type ErrorCode } from '../../errors.ts'
import type { IdentityKind, IdentityRecord } from '../../model/identity.ts'
import { required } from '../../model/shape.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkIdentityName,
  groups,
  operationOn,
  roles,
  users,
  type Kind,
  type NameMember,
} from './identity-kinds.ts'
import { checkIdentityPolicy, policySize } from './identity-policy.ts'
import { checkName, marker, maxItems, policyDocument, policyName } from './members.ts'
import { pageOf } from './page.ts'
import { shownDocument } from './shown-document.ts'

/** Characters of all inline policies of one identity together, without their white space. */
const sizeMax: Readonly<Record<IdentityKind, number>> = {
  user: 2048,
  role: 10_240,
  group: 5120,
}
/** The same with white space, which IAM does not limit. */
const charactersMax = 32_768

type Policies = IdentityRecord['inlinePolicies']

/** The document of that name. @throws {KmsError} `NoSuchEntityException` */
function inlinePolicyOf(kind: IdentityKind, policies: Policies, name: string): string {
  const document = Object.hasOwn(policies, name) ? policies[name] : undefined
  if (document !== undefined) return document
  const message = `The ${kind} policy with name ${name} cannot be found.`
  throw new KmsError('NoSuchEntityException', message)
}

/**
 * The identity's policies with `document` added or replaced.
 * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
 */
export function withInlinePolicy(
  kind: IdentityKind,
  { inlinePolicies, name }: Pick<IdentityRecord, 'inlinePolicies' | 'name'>,
  policyNamed: string,
  document: string,
): Policies {
  checkIdentityPolicy(document)
  const policies = { ...inlinePolicies, [policyNamed]: document }
  const documents = Object.values(policies)
  const sizeOf = (measure: (text: string) => number): number =>
    documents.reduce((sum, text) => sum + measure(text), 0)
  if (sizeOf(policySize) > sizeMax[kind] || sizeOf(({ length }) => length) > charactersMax) {
    const message = `Maximum policy size of ${sizeMax[kind]} bytes exceeded for ${kind} ${name}`
    throw new KmsError('LimitExceededException', message)
  }
  return policies
}

interface OnePolicy {
  readonly PolicyName: string
}

function checkNames<N extends NameMember>(kind: Kind<N>) {
  return (input: Readonly<Record<N, string>> & OnePolicy): void => {
    checkIdentityName(kind, input)
    checkName('policyName', input.PolicyName)
  }
}

function put<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...operationOn(kind, name, {
      PolicyName: required(policyName),
      PolicyDocument: required(policyDocument),
    }),
    readOnly: false,
    audit: [kind.member, 'PolicyName', 'PolicyDocument'] as const,
    throws: [
      'ValidationException',
      'AccessDeniedException',
      'NoSuchEntityException',
      ...kind.changeErrors,
      'MalformedPolicyDocumentException',
      'LimitExceededException',
    ] satisfies ErrorCode[],
    check: checkNames(kind),
    async run(call: Call<OnePolicy & { readonly PolicyDocument: string }, never>) {
      const { PolicyName, PolicyDocument } = call.input
      const { record, update } = kind.changeable(call)
      const inlinePolicies = withInlinePolicy(kind.kind, record, PolicyName, PolicyDocument)
      await call.commit(async (transaction) => {
        await update(transaction, { inlinePolicies })
      })
    },
  }
}

function get<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...operationOn(kind, name, { PolicyName: required(policyName) }),
    readOnly: true,
    audit: [kind.member, 'PolicyName'] as const,
    throws: [
      'ValidationException',
      'AccessDeniedException',
      'NoSuchEntityException',
    ] satisfies ErrorCode[],
    check: checkNames(kind),
    async run(call: Call<OnePolicy, never>) {
      const { PolicyName } = call.input
      const { record } = kind.found(call)
      const document = inlinePolicyOf(kind.kind, record.inlinePolicies, PolicyName)
      // A computed key widens to `string`; its only value is the literal N.
      const named = { [kind.member]: record.name } as Readonly<Record<N, string>>
      return { ...named, PolicyName, PolicyDocument: shownDocument(document) }
    },
  }
}

function remove<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...operationOn(kind, name, { PolicyName: required(policyName) }),
    readOnly: false,
    audit: [kind.member, 'PolicyName'] as const,
    throws: [
      'ValidationException',
      'AccessDeniedException',
      'NoSuchEntityException',
      ...kind.changeErrors,
    ] satisfies ErrorCode[],
    check: checkNames(kind),
    async run(call: Call<OnePolicy, never>) {
      const { PolicyName } = call.input
      const { record, update } = kind.changeable(call)
      inlinePolicyOf(kind.kind, record.inlinePolicies, PolicyName)
      const left = Object.entries(record.inlinePolicies).filter(([each]) => each !== PolicyName)
      await call.commit(async (transaction) => {
        await update(transaction, { inlinePolicies: Object.fromEntries(left) })
      })
    },
  }
}

interface ListInput {
  readonly Marker?: string
  readonly MaxItems?: number
}

function list<N extends NameMember>(name: string, kind: Kind<N>) {
  return {
    ...operationOn(kind, name, { Marker: marker, MaxItems: maxItems }),
    readOnly: true,
    audit: [kind.member, 'Marker', 'MaxItems'] as const,
    throws: [
      'ValidationException',
      'AccessDeniedException',
      'NoSuchEntityException',
      'InvalidMarkerException',
    ] satisfies ErrorCode[],
    check: (input: Readonly<Record<N, string>>) => checkIdentityName(kind, input),
    async run(call: Call<ListInput, never>, { pages }: OperationDependencies) {
      const { record, uniqueId } = kind.found(call)
      const names = Object.keys(record.inlinePolicies)
      const { rows, paging } = await pageOf(names, (each) => each, pages, {
        scope: [name, uniqueId],
        marker: call.input.Marker,
        limit: call.input.MaxItems,
      })
      return { PolicyNames: [...rows], ...paging }
    },
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html */
export const putUserPolicy = iamOperation<PutUserPolicyRequest, void>()(put('PutUserPolicy', users))
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html */
export const putRolePolicy = iamOperation<PutRolePolicyRequest, void>()(put('PutRolePolicy', roles))
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html */
export const putGroupPolicy = iamOperation<PutGroupPolicyRequest, void>()(
  put('PutGroupPolicy', groups),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html */
export const getUserPolicy = iamOperation<GetUserPolicyRequest, GetUserPolicyResponse>()(
  get('GetUserPolicy', users),
)
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html */
export const getRolePolicy = iamOperation<GetRolePolicyRequest, GetRolePolicyResponse>()(
  get('GetRolePolicy', roles),
)
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html */
export const getGroupPolicy = iamOperation<GetGroupPolicyRequest, GetGroupPolicyResponse>()(
  get('GetGroupPolicy', groups),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html */
export const deleteUserPolicy = iamOperation<DeleteUserPolicyRequest, void>()(
  remove('DeleteUserPolicy', users),
)
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html */
export const deleteRolePolicy = iamOperation<DeleteRolePolicyRequest, void>()(
  remove('DeleteRolePolicy', roles),
)
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html */
export const deleteGroupPolicy = iamOperation<DeleteGroupPolicyRequest, void>()(
  remove('DeleteGroupPolicy', groups),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html */
export const listUserPolicies = iamOperation<ListUserPoliciesRequest, ListUserPoliciesResponse>()(
  list('ListUserPolicies', users),
)
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html */
export const listRolePolicies = iamOperation<ListRolePoliciesRequest, ListRolePoliciesResponse>()(
  list('ListRolePolicies', roles),
)
/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html */
export const listGroupPolicies = iamOperation<
  ListGroupPoliciesRequest,
  ListGroupPoliciesResponse
>()(list('ListGroupPolicies', groups))
