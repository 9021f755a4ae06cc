/** The managed policies of a user or a role: unique ids in its own row, counted in the policy's. @module */
import { KmsError } from '../../errors.ts'
import { isServiceRolePolicy } from '../../model/aws-managed-policies.ts'
import type { IdentityKind, IdentityRecord } from '../../model/identity.ts'
import { managedPolicyArn } from '../../model/managed-policy.ts'
import type { Transaction } from '../../store/store.ts'
import { managedPolicyOf } from './managed-policy.ts'
import { pageOf } from './page.ts'
import type { Call } from '../contract/call.ts'
import type { OperationPorts } from '../contract/dependencies.ts'

export const attachedMax = 10
const quota: Readonly<Record<IdentityKind, string>> = {
  user: 'PoliciesPerUser',
  role: 'PoliciesPerRole',
  group: 'PoliciesPerGroup',
}

type Attached = Pick<IdentityRecord, 'attachedPolicies'>
type Asking = Parameters<typeof managedPolicyOf>[1]

/**
 * Counts one more attachment of the policy. Answers the policies that the identity has then; undefined
 * when it has it already, to which AWS answers success.
 * @throws {KmsError} `NoSuchEntityException`, `LimitExceededException`
 */
export async function attachPolicy(
  kind: IdentityKind,
  { attachedPolicies }: Attached,
  arn: string,
  asking: Asking,
  transaction: Transaction,
): Promise<readonly string[] | undefined> {
  const policy = await managedPolicyOf(arn, asking, transaction)
  if (isServiceRolePolicy(policy)) {
    const message = 'Cannot attach a Service Role Policy to a Customer Role.'
    throw new KmsError('PolicyNotAttachableException', message)
  }
  if (attachedPolicies.includes(policy.policyId)) return undefined
  if (attachedPolicies.length >= attachedMax) {
    const message = `Cannot exceed quota for ${quota[kind]}: ${attachedMax}`
    throw new KmsError('LimitExceededException', message)
  }
  await transaction.updateManagedPolicy(policy, { attachments: policy.attachments + 1 })
  return [...attachedPolicies, policy.policyId]
}

/**
 * Counts one attachment of the policy less. Answers the policies that the identity has then.
 * @throws {KmsError} `NoSuchEntityException`
 */
export async function detachPolicy(
  { attachedPolicies }: Attached,
  arn: string,
  asking: Asking,
  transaction: Transaction,
): Promise<readonly string[]> {
  const policy = await managedPolicyOf(arn, asking, transaction)
  if (!attachedPolicies.includes(policy.policyId)) {
    throw new KmsError('NoSuchEntityException', `Policy ${arn} was not found.`)
  }
  await transaction.updateManagedPolicy(policy, { attachments: policy.attachments - 1 })
  return attachedPolicies.filter((id) => id !== policy.policyId)
}

interface ListInput {
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

interface AttachedPage {
  readonly AttachedPolicies: { readonly PolicyName: string; readonly PolicyArn: string }[]
  readonly IsTruncated: boolean
  readonly Marker?: string
}

/** One page of an identity's managed policies. @param scope the operation and the identity's unique id */
export async function listAttached(
  { attachedPolicies }: Attached,
  scope: readonly [operation: string, uniqueId: string],
  { input, partition }: Pick<Call<ListInput, never>, 'input' | 'partition'>,
  { store, pages }: Pick<OperationPorts, 'store' | 'pages'>,
): Promise<AttachedPage> {
  const { PathPrefix: pathPrefix = '/' } = input
  const found = await Promise.all(attachedPolicies.map((id) => store.findManagedPolicy(id)))
  const attached = found.flatMap((policy) =>
    policy?.path.startsWith(pathPrefix) === true ? [policy] : [],
  )
  const { rows, paging } = await pageOf(attached, ({ name }) => name, pages, {
    scope: [...scope, pathPrefix],
    marker: input.Marker,
    limit: input.MaxItems,
  })
  const AttachedPolicies = rows.map((policy) => ({
    PolicyName: policy.name,
    PolicyArn: managedPolicyArn(partition, policy),
  }))
  return { AttachedPolicies, ...paging }
}
