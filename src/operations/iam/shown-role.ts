/** Roles in answers. @module */
import type { IdentityTag } from '../../model/identity.ts'
import { roleArn, type RoleRecord } from '../../model/role.ts'
import { shownBoundary } from './permissions-boundaries.ts'
import { shownDocument } from './shown-document.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

export interface ShownRole {
  readonly Path: string
  readonly RoleName: string
  readonly RoleId: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly AssumeRolePolicyDocument: string
  readonly Description?: string
  readonly MaxSessionDuration: number
  readonly PermissionsBoundary?: ReturnType<typeof shownBoundary>
  readonly Tags?: IdentityTag[]
  readonly RoleLastUsed?: { readonly LastUsedDate?: Date; readonly Region?: string }
}

type Dependencies = Pick<OperationDependencies, 'store' | 'trustPolicies' | 'roleUses'>

/** A role in lists: without its boundary, its tags and its last use. */
export async function listedRole(
  partition: string,
  role: Omit<RoleRecord, 'rowVersion'>,
  { trustPolicies }: Pick<Dependencies, 'trustPolicies'>,
): Promise<ShownRole> {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.roleId,
    Arn: roleArn(partition, role),
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: shownDocument(await trustPolicies.shown(role)),
    ...(role.description !== '' && { Description: role.description }),
    MaxSessionDuration: role.maxSessionSeconds,
  }
}

/** A role as `CreateRole` returns it: with its boundary and its tags. */
export async function madeRole(
  partition: string,
  role: Omit<RoleRecord, 'rowVersion'>,
  dependencies: Omit<Dependencies, 'roleUses'>,
): Promise<ShownRole> {
  const { permissionsBoundary, tags } = role
  const boundary =
    permissionsBoundary === undefined
      ? undefined
      : await dependencies.store.findManagedPolicy(permissionsBoundary)
  return {
    ...(await listedRole(partition, role, dependencies)),
    ...(boundary && { PermissionsBoundary: shownBoundary(partition, boundary) }),
    ...(tags.length > 0 && { Tags: tags.map(({ Key, Value }) => ({ Key, Value })) }),
  }
}

/** A role as `GetRole` returns it: with its last use too. */
export async function shownRole(
  partition: string,
  role: RoleRecord,
  dependencies: Dependencies,
): Promise<ShownRole> {
  const last = await dependencies.roleUses.lastOf(role.roleId)
  const used = last && { LastUsedDate: new Date(last.usedAt), Region: last.region }
  return { ...(await madeRole(partition, role, dependencies)), RoleLastUsed: used ?? {} }
}
