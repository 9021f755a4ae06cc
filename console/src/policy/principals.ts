/** Users and roles that can be chosen for a key policy. @module */
import { IAMClient, paginateListRoles, paginateListUsers } from '@aws-sdk/client-iam'
import type { Aws } from '../aws/aws.ts'

export interface Principal {
  readonly arn: string
  readonly name: string
  readonly path: string
  readonly type: 'user' | 'role'
}

/** More users, and more roles, than these are not offered; the policy view takes any ARN. */
const principalsMax = 5000

export async function listPrincipals(aws: Aws, region: string): Promise<readonly Principal[]> {
  return aws.run(IAMClient, region, async (client) => {
    const paging = { client, pageSize: 1000 }
    const users: Principal[] = []
    for await (const { Users = [] } of paginateListUsers(paging, {})) {
      for (const { Arn: arn = '', UserName: name = '', Path: path = '/' } of Users) {
        users.push({ arn, name, path, type: 'user' })
      }
      if (users.length >= principalsMax) break
    }
    const roles: Principal[] = []
    for await (const { Roles = [] } of paginateListRoles(paging, {})) {
      for (const { Arn: arn = '', RoleName: name = '', Path: path = '/' } of Roles) {
        roles.push({ arn, name, path, type: 'role' })
      }
      if (roles.length >= principalsMax) break
    }
    return [...users, ...roles]
  })
}
