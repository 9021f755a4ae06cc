/**
 * DeleteRole — deletes a role that has no policies. A later role of the same name is another role.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
 * @module
 */
import type { DeleteRoleRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { leaveBoundary } from './permissions-boundaries.ts'
import { checkName, roleName } from './members.ts'
import { changeableRole, deleteConflict } from './required-identity.ts'

export const deleteRole = iamOperation<DeleteRoleRequest, void>()({
  name: 'DeleteRole',
  input: { RoleName: required(roleName) },
  role: { from: 'RoleName', action: 'iam:DeleteRole' },
  readOnly: false,
  audit: ['RoleName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'UnmodifiableEntityException',
    'DeleteConflictException',
  ],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ role, commit }) {
    const known = changeableRole(role)
    if (Object.keys(known.inlinePolicies).length > 0) throw deleteConflict('delete policies')
    if (known.attachedPolicies.length > 0) throw deleteConflict('detach all policies')
    // A concurrent change of the role causes a `StaleRow`, and the call is decided again.
    await commit(async (transaction) => {
      await leaveBoundary(known.permissionsBoundary, transaction)
      await transaction.deleteRole(known)
    })
  },
})
