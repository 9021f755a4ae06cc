/** The rows of roles. @module */
import type { RoleRecord } from '../../model/role.ts'
import { held, identityColumns, identityOf } from './identity-columns.ts'
import { namedReads, namedWrites, type NamedTable } from './named-rows.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { RolesTable } from '../schema/schema.ts'
import type { StoreReads, Transaction } from '../store.ts'

type Reads = Pick<StoreReads, 'findRole' | 'findRoleByName' | 'listRoles' | 'countRoles'>
type Writes = Pick<Transaction, 'insertRole' | 'updateRole' | 'confirmRole' | 'deleteRole'>

const roles: NamedTable<'roles', RoleRecord> = {
  table: 'roles',
  key: 'role_id',
  change: 'role',
  idOf: ({ roleId }) => roleId,
  columnsOf,
  recordOf,
}

export function roleReads(scope: RowScope): Reads {
  const { find, findByName, list, count } = namedReads(roles, scope)
  return {
    findRole: find,
    findRoleByName: findByName,
    listRoles: (accountId, { pathPrefix, holding, ...page }) =>
      list(
        accountId,
        page,
        ({ path }) => path.startsWith(pathPrefix),
        holding && ((row) => held(row, holding)),
      ),
    countRoles: count,
  }
}

export function roleWrites(scope: WriteScope): Writes {
  const writes = namedWrites(roles, scope)
  return {
    insertRole: writes.insert,
    updateRole: writes.update,
    confirmRole: writes.confirm,
    deleteRole: writes.delete,
  }
}

function columnsOf(role: RoleRecord): Omit<RolesTable, 'row_tag'> {
  return {
    role_id: role.roleId,
    ...identityColumns(role),
    permissions_boundary: role.permissionsBoundary ?? null,
    trust_policy: role.trustPolicy,
    trust_principals: JSON.stringify(role.trustPrincipals),
    description: JSON.stringify(role.description),
    max_session_seconds: role.maxSessionSeconds,
    sessions_revoked_at: role.sessionsRevokedAt ?? null,
    service_linked: role.serviceLinked ?? null,
  }
}

/** The JSON is valid: `columnsOf` wrote every row that has a valid tag. */
function recordOf(row: RolesTable): RoleRecord {
  return {
    roleId: row.role_id,
    ...identityOf(row),
    ...(row.permissions_boundary !== null && { permissionsBoundary: row.permissions_boundary }),
    trustPolicy: row.trust_policy,
    trustPrincipals: JSON.parse(row.trust_principals) as RoleRecord['trustPrincipals'],
    description: JSON.parse(row.description) as string,
    maxSessionSeconds: row.max_session_seconds,
    ...(row.sessions_revoked_at !== null && { sessionsRevokedAt: row.sessions_revoked_at }),
    ...(row.service_linked !== null && { serviceLinked: row.service_linked }),
  }
}
