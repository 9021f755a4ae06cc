/** The tables of users, groups, roles, their policies and their providers. @module */
import type { GroupRecord } from '../../model/group.ts'
import type { ManagedPolicyRecord } from '../../model/managed-policy.ts'
import type { OidcProviderRecord } from '../../model/oidc-provider.ts'
import type { RoleRecord, RoleUse } from '../../model/role.ts'
import type { UserRecord } from '../../model/user.ts'
import { accounts } from './accounts.ts'
import { json, number, optional, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

/** A name that is unique in its account apart from case. */
const name = {
  account_id: text('accountId'),
  name: text('name'),
  /** The name in lower case. */
  folded_name: text(),
  path: text('path'),
} as const

const folded = {
  columns: (named: { readonly name: string }) => ({ folded_name: named.name.toLowerCase() }),
}

/** Columns that users, roles and groups share. */
const identity = {
  ...name,
  /** From name to document. The identity's own row has it, so that the row's tag covers it. */
  inline_policies: json('inlinePolicies'),
  /** Unique ids of managed policies. */
  attached_policies: json('attachedPolicies'),
  tags: json('tags'),
  created_at: number('createdAt'),
  row_version: number('rowVersion'),
  row_tag: rowTag,
} as const

/** The unique id of a managed policy. */
const boundary = { permissions_boundary: optional(text('permissionsBoundary')) } as const

export const users = tableOf<UserRecord>()({
  name: 'users',
  columns: {
    user_id: text('userId'),
    ...identity,
    ...boundary,
    /** Unique ids of groups. */
    groups: json('groups'),
    sessions_revoked_at: optional(number('sessionsRevokedAt')),
  },
  compose: folded,
  primaryKey: ['user_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    { name: 'users_by_name', columns: ['account_id', 'name'] },
    { name: 'users_by_folded_name', columns: ['account_id', 'folded_name'], unique: true },
  ],
  change: { kind: 'user', account: 'account_id', id: ['user_id'] },
  emptied: true,
})

export const groups = tableOf<GroupRecord>()({
  name: 'groups',
  columns: { group_id: text('groupId'), ...identity },
  compose: folded,
  primaryKey: ['group_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    { name: 'groups_by_name', columns: ['account_id', 'name'] },
    { name: 'groups_by_folded_name', columns: ['account_id', 'folded_name'], unique: true },
  ],
  change: { kind: 'group', account: 'account_id', id: ['group_id'] },
  emptied: true,
})

export const roles = tableOf<RoleRecord>()({
  name: 'roles',
  columns: {
    role_id: text('roleId'),
    ...identity,
    ...boundary,
    trust_policy: text('trustPolicy'),
    /** From ARN to unique id. */
    trust_principals: json('trustPrincipals'),
    description: json('description'),
    max_session_seconds: number('maxSessionSeconds'),
    sessions_revoked_at: optional(number('sessionsRevokedAt')),
    service_linked: optional(text('serviceLinked')),
  },
  compose: folded,
  primaryKey: ['role_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    { name: 'roles_by_name', columns: ['account_id', 'name'] },
    { name: 'roles_by_folded_name', columns: ['account_id', 'folded_name'], unique: true },
  ],
  change: { kind: 'role', account: 'account_id', id: ['role_id'] },
  emptied: true,
})

/**
 * The last use of each role; absent if it was never used. It decides nothing, so it has no row tag,
 * and nothing caches it.
 */
export const roleUsage = tableOf<RoleUse>()({
  name: 'role_usage',
  columns: { role_id: text('roleId'), region: text('region'), used_at: number('usedAt') },
  primaryKey: ['role_id'],
  references: [{ columns: ['role_id'], to: roles, whenDeleted: 'delete' }],
  emptied: true,
})

export const managedPolicies = tableOf<ManagedPolicyRecord>()({
  name: 'managed_policies',
  columns: {
    policy_id: text('policyId'),
    ...name,
    description: json('description'),
    /** The policy's own row has them, so that the row's tag covers them. */
    versions: json('versions'),
    default_version_id: text('defaultVersionId'),
    next_version: number('nextVersion'),
    attachments: number('attachments'),
    boundaries: number('boundaries'),
    tags: json('tags'),
    created_at: number('createdAt'),
    updated_at: number('updatedAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  compose: folded,
  primaryKey: ['policy_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    { name: 'managed_policies_by_name', columns: ['account_id', 'name'] },
    {
      name: 'managed_policies_by_folded_name',
      columns: ['account_id', 'folded_name'],
      unique: true,
    },
  ],
  change: { kind: 'managed-policy', account: 'account_id', id: ['policy_id'] },
  emptied: true,
})

/** Providers of identity tokens. Roles decide who may trust one. */
export const oidcProviders = tableOf<OidcProviderRecord>()({
  name: 'oidc_providers',
  columns: {
    account_id: text('accountId'),
    /** The URL without its scheme. */
    name: text('name'),
    url: text('url'),
    client_ids: json('clientIds'),
    thumbprints: json('thumbprints'),
    tags: json('tags'),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'name'],
  references: [{ columns: ['account_id'], to: accounts }],
  change: { kind: 'oidc-provider', account: 'account_id', id: ['name'] },
  emptied: true,
})
