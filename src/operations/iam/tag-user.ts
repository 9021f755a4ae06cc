/**
 * TagUser — gives a user tags, or their keys other values.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
 * @module
 */
import type { TagUserRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withTags } from './identity-tags.ts'
import { checkName, checkTags, userName, tags } from './members.ts'
import { requiredUser } from './required-user.ts'
import { requestTags } from './shown-user.ts'

export const tagUser = iamOperation<TagUserRequest, void>()({
  name: 'TagUser',
  input: { UserName: required(userName), Tags: required(tags) },
  user: { from: 'UserName', action: 'iam:TagUser' },
  context: ({ Tags }) => requestTags(Tags),
  readOnly: false,
  audit: ['UserName', 'Tags'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'LimitExceededException',
  ],
  check({ UserName, Tags }) {
    checkName('userName', UserName)
    checkTags(Tags)
  },
  async run({ input, user, commit }) {
    const known = requiredUser(user)
    const changed = withTags(known.tags, input.Tags)
    await commit(async (transaction) => {
      if (!sameTags(known.tags, changed)) await transaction.updateUser(known, { tags: changed })
    })
  },
})
