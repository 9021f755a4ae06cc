/**
 * GetServiceLinkedRoleDeletionStatus — returns how a deletion ended. Every task has ended when its
 * id is returned.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html
 * @module
 */
import type {
  GetServiceLinkedRoleDeletionStatusRequest,
  GetServiceLinkedRoleDeletionStatusResponse,
  RoleUsageType,
} from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { keyArn, type KeyRecord } from '../../model/key.ts'
import { required, text } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { deletionScope, readDeletionTask } from '../contract/deletion-task.ts'

export const getServiceLinkedRoleDeletionStatus = iamOperation<
  GetServiceLinkedRoleDeletionStatusRequest,
  GetServiceLinkedRoleDeletionStatusResponse
>()({
  name: 'GetServiceLinkedRoleDeletionStatus',
  input: { DeletionTaskId: required(text({ min: 1, max: 1000 })) },
  permissions: ({ DeletionTaskId }) => [
    {
      action: 'iam:GetServiceLinkedRoleDeletionStatus',
      iamResource: `role/aws-service-role/${readDeletionTask(DeletionTaskId)?.deleted ?? ''}`,
    },
  ],
  readOnly: true,
  audit: ['DeletionTaskId'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ DeletionTaskId }) {
    if (readDeletionTask(DeletionTaskId) !== undefined) return
    throw new KmsError('InvalidInputException', 'the id is not that of a deletion task')
  },
  async run({ input: { DeletionTaskId }, caller, partition }, { deletionTasks, store }) {
    const { accountId } = caller
    const task = readDeletionTask(DeletionTaskId)
    const end = task && deletionTasks.endOf(deletionScope(accountId, task.deleted), task.uuid)
    if (end === 'SUCCEEDED') return { Status: end }
    if (end === 'FAILED') {
      const keys = await store.listMultiRegionKeys(accountId, keysShownMax)
      return { Status: end, Reason: { Reason: reason, RoleUsageList: usageOf(keys, partition) } }
    }
    const message = `the deletion task \`${DeletionTaskId}\` cannot be found`
    throw new KmsError('NoSuchEntityException', message)
  },
})

const reason = 'Account owns one or more multi-Region keys'
const keysShownMax = 100

/** The keys by Region, for `RoleUsageList`. */
function usageOf(keys: readonly KeyRecord[], partition: string): RoleUsageType[] {
  const arns = new Map<string, string[]>()
  for (const key of keys) {
    const known = arns.get(key.region) ?? []
    arns.set(key.region, [...known, keyArn(partition, key)])
  }
  const regions = [...arns.keys()].toSorted()
  return regions.map((Region) => ({ Region, Resources: arns.get(Region) ?? [] }))
}
