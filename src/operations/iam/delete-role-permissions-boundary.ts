/**
 * DeleteRolePermissionsBoundary — takes a role its boundary.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html
 * @module
 */
import type { DeleteRolePermissionsBoundaryRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { leaveBoundary } from './boundary.ts'
import { checkName, roleName } from './members.ts'
import { changeableRole } from './required-role.ts'

export const deleteRolePermissionsBoundary = iamOperation<
  DeleteRolePermissionsBoundaryRequest,
  void
>()({
  name: 'DeleteRolePermissionsBoundary',
  input: { RoleName: required(roleName) },
  role: { from: 'RoleName', action: 'iam:DeleteRolePermissionsBoundary' },
  readOnly: false,
  audit: ['RoleName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
  ],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ role, commit }) {
    const known = changeableRole(role)
    const { permissionsBoundary } = known
    if (permissionsBoundary === undefined) {
      const message = `Role ${known.name} does not have a permission boundary set.`
      throw new KmsError('NoSuchEntityException', message)
    }
    await commit(async (transaction) => {
      await leaveBoundary(permissionsBoundary, transaction)
      await transaction.updateRole(known, { permissionsBoundary: undefined })
    })
  },
})
