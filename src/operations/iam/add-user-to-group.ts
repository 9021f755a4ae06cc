/**
 * AddUserToGroup — adds a user to a group, which gives the user the group's policies.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html
 * @module
 */
import type { AddUserToGroupRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, groupName, userName } from './members.ts'
import { requiredGroup, userNamed } from './required-identity.ts'
export const groupsPerUserMax = 10

export const addUserToGroup = iamOperation<AddUserToGroupRequest, void>()({
  name: 'AddUserToGroup',
  input: { GroupName: required(groupName), UserName: required(userName) },
  group: { from: 'GroupName', action: 'iam:AddUserToGroup' },
  readOnly: false,
  audit: ['GroupName', 'UserName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'LimitExceededException',
  ],
  check({ GroupName, UserName }) {
    checkName('groupName', GroupName)
    checkName('userName', UserName)
  },
  async run({ input, group, commit }) {
    const known = requiredGroup(group)
    const { accountId, groupId } = known
    await commit(async (transaction) => {
      const user = await userNamed(accountId, input.UserName, transaction)
      if (user.groups.includes(groupId)) return
      if (user.groups.length >= groupsPerUserMax) {
        const message = `Cannot exceed quota for GroupsPerUser: ${groupsPerUserMax}`
        throw new KmsError('LimitExceededException', message)
      }
      // Locks the group's row, so that nobody deletes the group while it gets a member.
      await transaction.confirmGroup(known)
      await transaction.updateUser(user, { groups: [...user.groups, groupId] })
    })
  },
})
