/**
 * DeleteGroup — deletes a group that has no members and no policies.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html
 * @module
 */
import type { DeleteGroupRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, groupName } from './members.ts'
import { deleteConflict, requiredGroup } from './required-identity.ts'

export const deleteGroup = iamOperation<DeleteGroupRequest, void>()({
  name: 'DeleteGroup',
  input: { GroupName: required(groupName) },
  group: { from: 'GroupName', action: 'iam:DeleteGroup' },
  readOnly: false,
  audit: ['GroupName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'DeleteConflictException',
  ],
  check: ({ GroupName }) => checkName('groupName', GroupName),
  async run({ group, commit }) {
    const known = requiredGroup(group)
    const { accountId, groupId } = known
    if (Object.keys(known.inlinePolicies).length > 0) throw deleteConflict('delete policies')
    if (known.attachedPolicies.length > 0) throw deleteConflict('detach all policies')
    await commit(async (transaction) => {
      // Deletes first: a concurrent AddUserToGroup has committed, and the next line finds its user, or it
      // finds the group gone.
      await transaction.deleteGroup(known)
      const members = await transaction.listMembers(accountId, groupId, { limit: 1 })
      if (members.length > 0) throw deleteConflict('remove users from group')
    })
  },
})
