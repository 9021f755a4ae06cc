/**
 * UpdateGroup — changes a group's name or path.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html
 * @module
 */
import type { UpdateGroupRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, checkPath, groupName, path } from './members.ts'
import { requiredGroup } from './required-identity.ts'
import { refuseTaken } from './taken-name.ts'

export const updateGroup = iamOperation<UpdateGroupRequest, void>()({
  name: 'UpdateGroup',
  input: { GroupName: required(groupName), NewPath: path, NewGroupName: groupName },
  group: {
    from: 'GroupName',
    action: 'iam:UpdateGroup',
    becomes: { name: 'NewGroupName', path: 'NewPath' },
  },
  readOnly: false,
  audit: ['GroupName', 'NewPath', 'NewGroupName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'EntityAlreadyExistsException',
  ],
  check({ GroupName, NewGroupName, NewPath }) {
    checkName('groupName', GroupName)
    checkName('newGroupName', NewGroupName)
    checkPath(NewPath)
  },
  async run({ input, group, commit }) {
    const known = requiredGroup(group)
    const { NewGroupName: name = known.name, NewPath: newPath = known.path } = input
    await commit(async (transaction) => {
      const message = `Group with name ${name} already exists.`
      await refuseTaken(transaction.updateGroup(known, { name, path: newPath }), message)
    })
  },
})
