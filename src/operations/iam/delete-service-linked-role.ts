/**
 * DeleteServiceLinkedRole — ends the role of a service. AWS asks the service first; here it is done at once.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html
 * @module
 */
import type {
  DeleteServiceLinkedRoleRequest,
  DeleteServiceLinkedRoleResponse,
} from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../query-operation.ts'
import { deletionScope, deletionTaskId } from './linked-services.ts'
import { checkName, roleName } from './members.ts'
import { requiredRole } from './required-role.ts'

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
  async run({ role, caller: { accountId }, commit }, { pages }) {
    const known = requiredRole(role)
    if (known.serviceLinked === undefined) {
      const message = `the role \`${known.name}\` is not service-linked`
      throw new KmsError('NoSuchEntityException', message)
    }
    const deleted = `${known.serviceLinked}/${known.name}`
    const token = pages.seal(deletionScope(accountId, deleted), known.roleId)
    return commit(async (transaction) => {
      await transaction.deleteRole(known)
      return { DeletionTaskId: deletionTaskId({ deleted, token }) }
    })
  },
})
