/** Permissions boundaries: managed policies that count whose boundary they are. @module */
import { KmsError } from '../../errors.ts'
import {
  managedPolicyArn,
  readPolicyArn,
  type ManagedPolicyRecord,
} from '../../model/managed-policy.ts'
import type { StoreReads, Transaction } from '../../store/store.ts'
import { managedPolicyOf } from './managed-policy.ts'
import type { ContextEntries } from '../contract/call.ts'

type Asking = Parameters<typeof managedPolicyOf>[1]

/** @throws {KmsError} `InvalidInputException` */
export function checkBoundaryArn(arn: string | undefined): void {
  if (arn === undefined || readPolicyArn(arn) !== undefined) return
  throw new KmsError('InvalidInputException', `Scope ARN: ${arn} is not valid.`)
}

/** The boundary that a request asks for, as a condition key. */
export function requestBoundary(arn: string | undefined): ContextEntries {
  return arn === undefined ? {} : { 'iam:PermissionsBoundary': arn }
}

/**
 * The unique id of the policy that an identity yet to be made is to have as its boundary.
 * @throws {KmsError} `NoSuchEntityException`
 */
export async function boundaryIdOf(
  arn: string,
  asking: Asking,
  store: Pick<StoreReads, 'findManagedPolicyByName'>,
): Promise<string> {
  return (await boundaryOf(arn, asking, store)).policyId
}

/** Counts one more identity that the policy bounds. @throws {KmsError} `NoSuchEntityException` */
export async function takeBoundary(
  arn: string,
  asking: Asking,
  transaction: Transaction,
): Promise<string> {
  const policy = await boundaryOf(arn, asking, transaction)
  await transaction.updateManagedPolicy(policy, { boundaries: policy.boundaries + 1 })
  return policy.policyId
}

/** Counts one less. A policy that is gone, which no call brings about, counts nothing. */
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

/** AWS's model has a longer word than what its answers are seen to hold. */
const boundaryType: string = 'Policy'

export function shownBoundary(partition: string, policy: ManagedPolicyRecord): ShownBoundary {
  return {
    PermissionsBoundaryType: boundaryType as 'PermissionsBoundaryPolicy', // what the model calls it
    PermissionsBoundaryArn: managedPolicyArn(partition, policy),
  }
}

async function boundaryOf(
  arn: string,
  asking: Asking,
  store: Pick<StoreReads, 'findManagedPolicyByName'>,
): Promise<ManagedPolicyRecord> {
  try {
    return await managedPolicyOf(arn, asking, store)
  } catch (error) {
    if (!(error instanceof KmsError) || error.code !== 'NoSuchEntityException') throw error
    const message = `Scope ARN: ${arn} does not exist or is not attachable.`
    throw new KmsError('NoSuchEntityException', message)
  }
}
