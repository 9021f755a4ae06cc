/** An operation of a family compiles only if its members are those of the SDK's request. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TagRoleRequest } from '@aws-sdk/client-iam'
import { required } from '../../../src/model/shape.ts'
import { operationOn, roles, users } from '../../../src/operations/iam/identity-kinds.ts'
import { maxItems, tags } from '../../../src/operations/iam/members.ts'
import { iamOperation } from '../../../src/operations/contract/query-operation.ts'

const rest = { readOnly: false, audit: [], throws: [], run: async () => {} } as const

test('an operation of a family has exactly the members of its request in the SDK', () => {
  const declare = iamOperation<TagRoleRequest, void>()
  const Tags = required(tags)
  const { input } = declare({ ...operationOn(roles, 'TagRole', { Tags }), ...rest })
  assert.deepEqual(Object.keys(input), ['RoleName', 'Tags'])
  // @ts-expect-error -- a role's request has no UserName
  declare({ ...operationOn(users, 'TagRole', { Tags }), ...rest })
  // @ts-expect-error -- Tags is missing
  declare({ ...operationOn(roles, 'TagRole', {}), ...rest })
  // @ts-expect-error -- Tags is not a number
  declare({ ...operationOn(roles, 'TagRole', { Tags: maxItems }), ...rest })
  // @ts-expect-error -- the record would keep a member that the request does not have
  declare({ ...operationOn(roles, 'TagRole', { Tags }), ...rest, audit: ['UserName'] })
})
