/** The rows of groups. @module */
import type { GroupRecord } from '../../model/group.ts'
import { held, identityColumns, identityOf } from './identity-columns.ts'
import { namedReads, namedWrites, type NamedTable } from './named-rows.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { StoreReads, Transaction } from '../store.ts'

type Reads = Pick<StoreReads, 'findGroup' | 'findGroupByName' | 'listGroups' | 'countGroups'>
type Writes = Pick<Transaction, 'insertGroup' | 'updateGroup' | 'confirmGroup' | 'deleteGroup'>

const groups: NamedTable<'groups', GroupRecord> = {
  table: 'groups',
  key: 'group_id',
  change: 'group',
  idOf: ({ groupId }) => groupId,
  columnsOf: (group) => ({ group_id: group.groupId, ...identityColumns(group) }),
  recordOf: (row) => ({ groupId: row.group_id, ...identityOf(row) }),
}

export function groupReads(scope: RowScope): Reads {
  const { find, findByName, list, count } = namedReads(groups, scope)
  return {
    findGroup: find,
    findGroupByName: findByName,
    // A group has no permissions boundary.
    listGroups: async (accountId, { pathPrefix, holding, ...page }) =>
      holding?.as === 'boundary'
        ? []
        : list(
            accountId,
            page,
            ({ path }) => path.startsWith(pathPrefix),
            holding && ((row) => held(row, { ...holding, as: 'attached' })),
          ),
    countGroups: count,
  }
}

export function groupWrites(scope: WriteScope): Writes {
  const writes = namedWrites(groups, scope)
  return {
    insertGroup: writes.insert,
    updateGroup: writes.update,
    confirmGroup: writes.confirm,
    deleteGroup: writes.delete,
  }
}
