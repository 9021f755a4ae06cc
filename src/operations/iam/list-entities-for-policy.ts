/**
 * ListEntitiesForPolicy — returns the users, groups and roles that have a managed policy.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
 * @module
 */
import type {
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
} from '@aws-sdk/client-iam'
import type { GroupRecord } from '../../model/group.ts'
import type { RoleRecord } from '../../model/role.ts'
import { oneOf, required } from '../../model/shape.ts'
import type { UserRecord } from '../../model/user.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Holding } from '../../store/tables/identity-rows.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkPolicyArn, managedPolicyOf, policyPermission } from './managed-policy.ts'
import { checkPathPrefix, marker, maxItems, path, policyArn } from './members.ts'
import { readPage } from './page.ts'
import type { Page } from '../../store/page.ts'

type Entity =
  | { readonly kind: 'group'; readonly record: GroupRecord }
  | { readonly kind: 'role'; readonly record: RoleRecord }
  | { readonly kind: 'user'; readonly record: UserRecord }

export const listEntitiesForPolicy = iamOperation<
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse
>()({
  name: 'ListEntitiesForPolicy',
  input: {
    PolicyArn: required(policyArn),
    EntityFilter: oneOf(['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy']),
    PathPrefix: path,
    PolicyUsageFilter: oneOf(['PermissionsPolicy', 'PermissionsBoundary']),
    Marker: marker,
    MaxItems: maxItems,
  },
  permissions: ({ PolicyArn }) => policyPermission('iam:ListEntitiesForPolicy', PolicyArn),
  readOnly: true,
  audit: ['PolicyArn', 'EntityFilter', 'PathPrefix', 'PolicyUsageFilter', 'Marker', 'MaxItems'],
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidMarkerException',
  ],
  check({ PolicyArn, PathPrefix }) {
    checkPolicyArn(PolicyArn)
    checkPathPrefix(PathPrefix)
  },
  async run(call, { store, pages }) {
    const { input, caller } = call
    const { EntityFilter: filter, PolicyUsageFilter: usage, PathPrefix: pathPrefix = '/' } = input
    const { policyId } = await managedPolicyOf(input.PolicyArn, call, store)
    const holding: Holding = {
      policyId,
      ...(usage !== undefined && { as: usage === 'PermissionsBoundary' ? 'boundary' : 'attached' }),
    }
    const { rows, paging } = await readPage(pages, {
      scope: ['ListEntitiesForPolicy', policyId, filter, usage, pathPrefix],
      marker: input.Marker,
      limit: input.MaxItems,
      read: (page) => readEntities(store, caller.accountId, page, { filter, pathPrefix, holding }),
      nameOf: ({ kind, record }) => `${kind}/${record.name}`,
    })
    return {
      PolicyGroups: rows.flatMap(({ kind, record }) =>
        kind === 'group' ? [{ GroupName: record.name, GroupId: record.groupId }] : [],
      ),
      PolicyUsers: rows.flatMap(({ kind, record }) =>
        kind === 'user' ? [{ UserName: record.name, UserId: record.userId }] : [],
      ),
      PolicyRoles: rows.flatMap(({ kind, record }) =>
        kind === 'role' ? [{ RoleName: record.name, RoleId: record.roleId }] : [],
      ),
      ...paging,
    }
  },
})

/**
 * Groups, then roles, then users, each sorted by name. `page.after` is `group/<name>`, `role/<name>` or
 * `user/<name>`.
 */
async function readEntities(
  store: Pick<StoreReads, 'listGroups' | 'listRoles' | 'listUsers'>,
  accountId: string,
  { after, limit }: Page,
  {
    filter,
    ...wanted
  }: {
    readonly filter: string | undefined
    readonly pathPrefix: string
    readonly holding: Holding
  },
): Promise<readonly Entity[]> {
  const pageOf = (kind: Entity['kind'], found: number): typeof wanted & Page => ({
    ...wanted,
    limit: limit - found,
    ...(after?.startsWith(`${kind}/`) === true && { after: after.slice(kind.length + 1) }),
  })
  const entities: Entity[] = []
  if ((filter ?? 'Group') === 'Group' && (after?.startsWith('group/') ?? true)) {
    for (const record of await store.listGroups(accountId, pageOf('group', 0))) {
      entities.push({ kind: 'group', record })
    }
  }
  const users = after?.startsWith('user/') === true
  if ((filter ?? 'Role') === 'Role' && !users && entities.length < limit) {
    for (const record of await store.listRoles(accountId, pageOf('role', entities.length))) {
      entities.push({ kind: 'role', record })
    }
  }
  if ((filter ?? 'User') === 'User' && entities.length < limit) {
    for (const record of await store.listUsers(accountId, pageOf('user', entities.length))) {
      entities.push({ kind: 'user', record })
    }
  }
  return entities
}
