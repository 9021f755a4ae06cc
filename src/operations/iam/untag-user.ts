/**
 * UntagUser — takes tags from a user; keys of none are no failure.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html
 * @module
 */
import type { UntagUserRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withoutTags } from './identity-tags.ts'
import { checkName, userName, tagKeys } from './members.ts'
import { requiredUser } from './required-user.ts'

export const untagUser = iamOperation<UntagUserRequest, void>()({
  name: 'UntagUser',
  input: { UserName: required(userName), TagKeys: required(tagKeys) },
  user: { from: 'UserName', action: 'iam:UntagUser' },
  context: ({ TagKeys }) => (TagKeys.length === 0 ? {} : { 'aws:TagKeys': TagKeys }),
  readOnly: false,
  audit: ['UserName', 'TagKeys'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ input, user, commit }) {
    const known = requiredUser(user)
    const changed = withoutTags(known.tags, input.TagKeys)
    await commit(async (transaction) => {
      if (!sameTags(known.tags, changed)) await transaction.updateUser(known, { tags: changed })
    })
  },
})
