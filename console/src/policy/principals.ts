/** Users and roles that can be chosen for a key policy. @module */
import { IAMClient, ListRolesCommand, ListUsersCommand } from '@aws-sdk/client-iam'
import type { Aws } from '../aws/aws.ts'

export interface Principal {
  readonly arn: string
  readonly name: string
  readonly path: string
  readonly type: 'user' | 'role'
}

/** More than these are not offered; the policy view takes any ARN. */
const principalsMax = 5000

export async function listPrincipals(aws: Aws, region: string): Promise<readonly Principal[]> {
  const found: Principal[] = []
  let Marker: string | undefined
  do {
    const asked = { MaxItems: 1000, ...(Marker !== undefined && { Marker }) }
    const page = await aws.run(IAMClient, region, (iam) => iam.send(new ListUsersCommand(asked)))
    for (const { Arn: arn = '', UserName: name = '', Path: path = '/' } of page.Users ?? []) {
      found.push({ arn, name, path, type: 'user' })
    }
    Marker = page.Marker
  } while (Marker !== undefined && found.length < principalsMax)
  do {
    const asked = { MaxItems: 1000, ...(Marker !== undefined && { Marker }) }
    const page = await aws.run(IAMClient, region, (iam) => iam.send(new ListRolesCommand(asked)))
    for (const { Arn: arn = '', RoleName: name = '', Path: path = '/' } of page.Roles ?? []) {
      found.push({ arn, name, path, type: 'role' })
    }
    Marker = page.Marker
  } while (Marker !== undefined && found.length < 2 * principalsMax)
  return found
}
