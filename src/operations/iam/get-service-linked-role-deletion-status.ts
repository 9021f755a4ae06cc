/**
 * GetServiceLinkedRoleDeletionStatus — how far a deletion has come: a task is told only when all is done.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html
 * @module
 */
import type {
  GetServiceLinkedRoleDeletionStatusRequest,
  GetServiceLinkedRoleDeletionStatusResponse,
} from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required, text } from '../../model/shape.ts'
import type { Pages } from '../operation.ts'
import { iamOperation } from '../query-operation.ts'
import { deletionScope, readDeletionTask } from './linked-services.ts'

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
    throw new KmsError('InvalidInputException', 'the id is none of a deletion task')
  },
  async run({ input: { DeletionTaskId }, caller: { accountId } }, { pages }) {
    const task = readDeletionTask(DeletionTaskId)
    // The token is made with the deletion: who holds one has seen it succeed.
    if (
      task !== undefined &&
      isGenuine(pages, deletionScope(accountId, task.deleted), task.token)
    ) {
      return { Status: 'SUCCEEDED' as const }
    }
    const message = `the deletion task \`${DeletionTaskId}\` cannot be found`
    throw new KmsError('NoSuchEntityException', message)
  },
})

function isGenuine(pages: Pages, scope: string, token: string): boolean {
  try {
    return pages.open(scope, token) !== undefined
  } catch (error) {
    if (error instanceof KmsError && error.code === 'InvalidMarkerException') return false
    throw error
  }
}
