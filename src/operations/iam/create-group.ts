/**
 * CreateGroup — creates a group in the caller's account.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html
 * @module
 */
import type { CreateGroupRequest, CreateGroupResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { identifierOf, uniqueIdCharacters } from '../../model/identity.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, checkPath, groupName, path } from './members.ts'
import { shownGroup } from './shown-group.ts'
import { refuseTaken } from './taken-name.ts'

export const groupsMax = 300

export const createGroup = iamOperation<CreateGroupRequest, CreateGroupResponse>()({
  name: 'CreateGroup',
  input: { Path: path, GroupName: required(groupName) },
  group: { from: 'GroupName', action: 'iam:CreateGroup', absent: 'made' },
  readOnly: false,
  audit: ['Path', 'GroupName'],
  auditResponse: ({ Group }) => ({ group: Group }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'EntityAlreadyExistsException',
    'LimitExceededException',
  ],
  check({ GroupName, Path }) {
    checkName('groupName', GroupName)
    checkPath(Path)
  },
  async run({ input, caller: { accountId }, partition, commit }, { clock, random }) {
    const { GroupName: name, Path = '/' } = input
    const group = {
      groupId: identifierOf('AGPA', random.bytes(uniqueIdCharacters)),
      accountId,
      name,
      path: Path,
      inlinePolicies: {},
      attachedPolicies: [],
      tags: [],
      createdAt: clock.now(),
    }
    return commit(async (transaction) => {
      if ((await transaction.countGroups(accountId)) >= groupsMax) {
        const message = `Cannot exceed quota for GroupsPerAccount: ${groupsMax}`
        throw new KmsError('LimitExceededException', message)
      }
      const message = `Group with name ${name} already exists.`
      await refuseTaken(transaction.insertGroup(group), message)
      return { Group: shownGroup(partition, group) }
    })
  },
})
