/**
 * ListRoles — returns the account's roles, sorted by name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
 * @module
 */
import type { ListRolesRequest, ListRolesResponse } from '@aws-sdk/client-iam'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPathPrefix, marker, maxItems, path } from './members.ts'
import { readPage } from './page.ts'
import { listedRole } from './shown-role.ts'

/**
 * The most roles of a page; IAM documents that a page may have fewer than `MaxItems`. Each role costs
 * look-ups of the principals that its trust policy names.
 */
const rolesMax = 100

export const listRoles = iamOperation<ListRolesRequest, ListRolesResponse>()({
  name: 'ListRoles',
  input: { PathPrefix: path, Marker: marker, MaxItems: maxItems },
  permissions: ({ PathPrefix = '/' }) => [
    { action: 'iam:ListRoles', iamResource: `role${PathPrefix}` },
  ],
  readOnly: true,
  audit: ['PathPrefix', 'Marker', 'MaxItems'],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidMarkerException'],
  check: ({ PathPrefix }) => checkPathPrefix(PathPrefix),
  async run({ input, caller: { accountId }, partition }, dependencies) {
    const pathPrefix = input.PathPrefix ?? '/'
    const { rows, paging } = await readPage(dependencies.pages, {
      scope: ['ListRoles', accountId, pathPrefix],
      marker: input.Marker,
      limit: Math.min(input.MaxItems ?? rolesMax, rolesMax),
      read: (page) => dependencies.store.listRoles(accountId, { ...page, pathPrefix }),
      nameOf: (role) => role.name,
    })
    // Together: each reads the role's last use.
    const Roles = await Promise.all(rows.map((role) => listedRole(partition, role, dependencies)))
    return { Roles, ...paging }
  },
})
