/**
 * TagRole — gives a role tags, or their keys other values.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html
 * @module
 */
import type { TagRoleRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { sameTags, withTags } from './identity-tags.ts'
import { checkName, checkTags, roleName, tags } from './members.ts'
import { requiredRole } from './required-role.ts'
import { requestTags } from './shown-user.ts'

export const tagRole = iamOperation<TagRoleRequest, void>()({
  name: 'TagRole',
  input: { RoleName: required(roleName), Tags: required(tags) },
  role: { from: 'RoleName', action: 'iam:TagRole' },
  context: ({ Tags }) => requestTags(Tags),
  readOnly: false,
  audit: ['RoleName', 'Tags'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'LimitExceededException',
  ],
  check({ RoleName, Tags }) {
    checkName('roleName', RoleName)
    checkTags(Tags)
  },
  async run({ input, role, commit }) {
    const known = requiredRole(role)
    const changed = withTags(known.tags, input.Tags)
    await commit(async (transaction) => {
      if (!sameTags(known.tags, changed)) await transaction.updateRole(known, { tags: changed })
    })
  },
})
