/**
 * DeleteServiceLinkedRole — deletes the role of an AWS service, unless the service still needs it. AWS
 * asks the service in a background task; here the task has ended when its id is returned.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html
 * @module
 */
import type {
  DeleteServiceLinkedRoleRequest,
  DeleteServiceLinkedRoleResponse,
} from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { deletionScope, deletionTaskId } from '../contract/deletion-task.ts'
import { multiRegionService } from './linked-services.ts'
import { checkName, roleName } from './members.ts'
import { requiredRole } from './required-identity.ts'

export const deleteServiceLinkedRole = iamOperation<
  DeleteServiceLinkedRoleRequest,
  DeleteServiceLinkedRoleResponse
>()({
  name: 'DeleteServiceLinkedRole',
  input: { RoleName: required(roleName) },
  role: { from: 'RoleName', action: 'iam:DeleteServiceLinkedRole' },
  readOnly: false,
  audit: ['RoleName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ role, caller: { accountId }, commit }, { deletionTasks }) {
    const known = requiredRole(role)
    if (known.serviceLinked === undefined) {
      const message = `the role \`${known.name}\` is not service-linked`
      throw new KmsError('NoSuchEntityException', message)
    }
    const { serviceLinked } = known
    const deleted = `${serviceLinked}/${known.name}`
    return commit(async (transaction) => {
      const inUse =
        serviceLinked === multiRegionService &&
        (await transaction.listMultiRegionKeys(accountId, 1)).length > 0
      if (!inUse) await transaction.deleteRole(known)
      const end = inUse ? 'FAILED' : 'SUCCEEDED'
      const uuid = deletionTasks.begin(deletionScope(accountId, deleted), end)
      return { DeletionTaskId: deletionTaskId({ deleted, uuid }) }
    })
  },
})
