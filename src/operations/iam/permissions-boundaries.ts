/**
 * The permissions boundaries of users and roles: PutUserPermissionsBoundary, DeleteUserPermissionsBoundary,
 * and the same for Role. A boundary is a managed policy that limits what the other policies of its identity
 * can allow, from the next call on. The managed policy's row counts the identities that it bounds.
 * @module
 */
import type {
  DeleteRolePermissionsBoundaryRequest,
  DeleteUserPermissionsBoundaryRequest,
  PutRolePermissionsBoundaryRequest,
  PutUserPermissionsBoundaryRequest,
} from '@aws-sdk/client-iam'
import { KmsError, type ErrorCode } from '../../errors.ts'
import {
  managedPolicyArn,
  readPolicyArn,
  type ManagedPolicyRecord,
} from '../../model/managed-policy.ts'
import { required } from '../../model/shape.ts'
import type { StoreReads, Transaction } from '../../store/store.ts'
import type { Call, ContextEntries } from '../contract/call.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkIdentityName,
  operationOn,
  roles,
  usersOfShortName as users,
  type TaggableKind,
  type TaggableName,
} from './identity-kinds.ts'
import { managedPolicyOf, type PolicyCaller } from './managed-policy.ts'
import { policyArn } from './members.ts'

/** @throws {KmsError} `InvalidInputException` */
export function checkBoundaryArn(arn: string | undefined): void {
  if (arn === undefined || readPolicyArn(arn) !== undefined) return
  throw new KmsError('InvalidInputException', `Scope ARN: ${arn} is not valid.`)
}

/** The condition key for the boundary that a request sets. */
export function requestBoundary(arn: string | undefined): ContextEntries {
  return arn === undefined ? {} : { 'iam:PermissionsBoundary': arn }
}

/**
 * The unique id of the managed policy `arn`, for a new identity that it bounds.
 * @throws {KmsError} `NoSuchEntityException`
 */
export async function boundaryIdOf(
  arn: string,
  call: PolicyCaller,
  store: Pick<StoreReads, 'findManagedPolicyByName'>,
): Promise<string> {
  return (await boundaryOf(arn, call, store)).policyId
}

/**
 * Counts one more identity that the policy bounds. Returns the policy's unique id.
 * @throws {KmsError} `NoSuchEntityException`
 */
export async function takeBoundary(
  arn: string,
  call: PolicyCaller,
  transaction: Transaction,
): Promise<string> {
  const policy = await boundaryOf(arn, call, transaction)
  await transaction.updateManagedPolicy(policy, { boundaries: policy.boundaries + 1 })
  return policy.policyId
}

/** Counts one identity less. Ignores a policy that does not exist; no call deletes one that is in use. */
export async function leaveBoundary(
  policyId: string | undefined,
  transaction: Transaction,
): Promise<void> {
  const policy = policyId === undefined ? undefined : await transaction.findManagedPolicy(policyId)
  if (policy === undefined) return
  await transaction.updateManagedPolicy(policy, { boundaries: policy.boundaries - 1 })
}

interface ShownBoundary {
  readonly PermissionsBoundaryType: 'PermissionsBoundaryPolicy'
  readonly PermissionsBoundaryArn: string
}

/** What AWS's answers hold; its model says `PermissionsBoundaryPolicy`. */
const boundaryType: string = 'Policy'

export function shownBoundary(partition: string, policy: ManagedPolicyRecord): ShownBoundary {
  return {
    PermissionsBoundaryType: boundaryType as 'PermissionsBoundaryPolicy', // the type of the model
    PermissionsBoundaryArn: managedPolicyArn(partition, policy),
  }
}

async function boundaryOf(
  arn: string,
  call: PolicyCaller,
  store: Pick<StoreReads, 'findManagedPolicyByName'>,
): Promise<ManagedPolicyRecord> {
  try {
    return await managedPolicyOf(arn, call, store)
  } catch (error) {
    if (!(error instanceof KmsError) || error.code !== 'NoSuchEntityException') throw error
    const message = `Scope ARN: ${arn} does not exist or is not attachable.`
    throw new KmsError('NoSuchEntityException', message)
  }
}

function put<N extends TaggableName>(name: string, kind: TaggableKind<N>) {
  type Request = Readonly<Record<N, string>> & { readonly PermissionsBoundary: string }
  return {
    ...operationOn(kind, name, { PermissionsBoundary: required(policyArn) }),
    context: ({ PermissionsBoundary }: Request) => requestBoundary(PermissionsBoundary),
    readOnly: false,
    audit: [kind.member, 'PermissionsBoundary'] as const,
    throws: [
      'ValidationException',
      'InvalidInputException',
      'AccessDeniedException',
      'NoSuchEntityException',
      ...kind.changeErrors,
    ] satisfies ErrorCode[],
    check(input: Request) {
      checkIdentityName(kind, input)
      checkBoundaryArn(input.PermissionsBoundary)
    },
    async run(call: Call<Request, never>) {
      const { record, update } = kind.changeable(call)
      await call.commit(async (transaction) => {
        // The old boundary first: it may be the same policy, whose row the next line reads again.
        await leaveBoundary(record.permissionsBoundary, transaction)
        const { PermissionsBoundary } = call.input
        const permissionsBoundary = await takeBoundary(PermissionsBoundary, call, transaction)
        await update(transaction, { permissionsBoundary })
      })
    },
  }
}

function remove<N extends TaggableName>(name: string, kind: TaggableKind<N>) {
  return {
    ...operationOn(kind, name, {}),
    readOnly: false,
    audit: [kind.member] as const,
    throws: [
      'ValidationException',
      'AccessDeniedException',
      'NoSuchEntityException',
      ...kind.changeErrors,
    ] satisfies ErrorCode[],
    check: (input: Readonly<Record<N, string>>) => checkIdentityName(kind, input),
    async run(call: Call<unknown, never>) {
      const { record, update } = kind.changeable(call)
      const { permissionsBoundary } = record
      if (permissionsBoundary === undefined) {
        const kindName = kind.kind === 'role' ? 'Role' : 'User'
        const message = `${kindName} ${record.name} does not have a permission boundary set.`
        throw new KmsError('NoSuchEntityException', message)
      }
      await call.commit(async (transaction) => {
        await leaveBoundary(permissionsBoundary, transaction)
        await update(transaction, { permissionsBoundary: undefined })
      })
    },
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html */
export const putUserPermissionsBoundary = iamOperation<PutUserPermissionsBoundaryRequest, void>()(
  put('PutUserPermissionsBoundary', users),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html */
export const putRolePermissionsBoundary = iamOperation<PutRolePermissionsBoundaryRequest, void>()(
  put('PutRolePermissionsBoundary', roles),
)

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html */
export const deleteUserPermissionsBoundary = iamOperation<
  DeleteUserPermissionsBoundaryRequest,
  void
>()(remove('DeleteUserPermissionsBoundary', users))

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html */
export const deleteRolePermissionsBoundary = iamOperation<
  DeleteRolePermissionsBoundaryRequest,
  void
>()(remove('DeleteRolePermissionsBoundary', roles))
