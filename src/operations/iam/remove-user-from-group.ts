/**
 * RemoveUserFromGroup — removes a user from a group, whose policies the user loses.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html
 * @module
 */
import type { RemoveUserFromGroupRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, groupName, userName } from './members.ts'
import { requiredGroup, userNamed } from './required-identity.ts'

export const removeUserFromGroup = iamOperation<RemoveUserFromGroupRequest, void>()({
  name: 'RemoveUserFromGroup',
  input: { GroupName: required(groupName), UserName: required(userName) },
  group: { from: 'GroupName', action: 'iam:RemoveUserFromGroup' },
  readOnly: false,
  audit: ['GroupName', 'UserName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check({ GroupName, UserName }) {
    checkName('groupName', GroupName)
    checkName('userName', UserName)
  },
  async run({ input, group, commit }) {
    const known = requiredGroup(group)
    const { accountId, groupId } = known
    await commit(async (transaction) => {
      const user = await userNamed(accountId, input.UserName, transaction)
      if (!user.groups.includes(groupId)) {
        const message = `User ${user.name} not in the group ${known.name}.`
        throw new KmsError('NoSuchEntityException', message)
      }
      await transaction.updateUser(user, { groups: user.groups.filter((id) => id !== groupId) })
    })
  },
})
