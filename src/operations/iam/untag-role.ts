/**
 * UntagRole — takes tags from a role; keys of none are no failure.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html
 * @module
 */
import type { UntagRoleRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withoutTags } from './identity-tags.ts'
import { checkName, roleName, tagKeys } from './members.ts'
import { requiredRole } from './required-role.ts'

export const untagRole = iamOperation<UntagRoleRequest, void>()({
  name: 'UntagRole',
  input: { RoleName: required(roleName), TagKeys: required(tagKeys) },
  role: { from: 'RoleName', action: 'iam:UntagRole' },
  context: ({ TagKeys }) => (TagKeys.length === 0 ? {} : { 'aws:TagKeys': TagKeys }),
  readOnly: false,
  audit: ['RoleName', 'TagKeys'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ RoleName }) => checkName('roleName', RoleName),
  async run({ input, role, commit }) {
    const known = requiredRole(role)
    const changed = withoutTags(known.tags, input.TagKeys)
    await commit(async (transaction) => {
      if (!sameTags(known.tags, changed)) await transaction.updateRole(known, { tags: changed })
    })
  },
})
