/** Lists the keys that are due for rotation, deletion or another job. @module */
import type { ExpressionBuilder, Expression, SqlBool } from 'kysely'
import type { KeyRecord } from '../../model/key.ts'
import { acceptedPage } from '../bound-rows.ts'
import { keyOf } from './key-columns.ts'
import type { RowScope } from '../row-scope.ts'
import type { KeysTable, Schema } from '../schema/schema.ts'
import type { DuePage, StoreReads } from '../store.ts'

type DueColumn =
  | 'deletion_date'
  | 'next_rotation_at'
  | 'on_demand_rotation_started_at'
  | 'transition_started_at'

/** Columns that a replica copies from its primary key, which is rotated for both. */
const followed: ReadonlySet<DueColumn> = new Set([
  'next_rotation_at',
  'on_demand_rotation_started_at',
])

export function dueKeyReads({
  query,
  rows,
}: RowScope): Pick<
  StoreReads,
  'listKeysToDelete' | 'listKeysToRotate' | 'listStartedRotations' | 'listTransitions'
> {
  const accept = (found: KeysTable): KeyRecord | undefined => {
    const row = rows.genuine('keys', [found.account_id, found.region, found.key_id], found)
    return row && keyOf(row)
  }
  const list = (
    column: DueColumn,
    state: KeyRecord['state'] | undefined,
    { dueBy, after, limit }: Omit<DuePage<never>, 'after'> & { readonly after?: string },
  ): Promise<readonly KeyRecord[]> => {
    const fetch = (from: string | undefined, rowsMax: number): Promise<readonly KeysTable[]> =>
      query
        .selectFrom('keys')
        .selectAll()
        .where(column, '<=', dueBy)
        .$if(state !== undefined, (keys) => keys.where('state', '=', state ?? ''))
        .$if(followed.has(column), (keys) => keys.where(isNoReplica))
        .$if(from !== undefined, (keys) => keys.where((row) => isAfter(row, column, from ?? '')))
        .orderBy(column)
        .orderBy('account_id')
        .orderBy('region')
        .orderBy('key_id')
        .limit(rowsMax)
        .execute()
    const page = after === undefined ? { limit } : { after, limit }
    return acceptedPage(page, fetch, (row) => placeOf(row[column], row), accept)
  }
  const pageOf = (
    { after, ...page }: DuePage<KeyRecord>,
    due: (key: KeyRecord) => number | undefined,
  ): Omit<DuePage<never>, 'after'> & { readonly after?: string } => {
    if (after === undefined) return page
    const { accountId: account_id, region, keyId: key_id } = after
    return { ...page, after: placeOf(due(after) ?? null, { account_id, region, key_id }) }
  }
  return {
    listKeysToDelete: (page) =>
      list(
        'deletion_date',
        'PendingDeletion',
        pageOf(page, (key) => key.deletionDate),
      ),
    listKeysToRotate: (page) =>
      list(
        'next_rotation_at',
        'Enabled',
        pageOf(page, (key) => key.nextRotationAt),
      ),
    listStartedRotations: (page) =>
      list(
        'on_demand_rotation_started_at',
        undefined,
        pageOf(page, (key) => key.onDemandRotationStartedAt),
      ),
    listTransitions: (page) =>
      list(
        'transition_started_at',
        undefined,
        pageOf(page, (key) => key.transitionStartedAt),
      ),
  }
}

function isNoReplica(row: ExpressionBuilder<Schema, 'keys'>): Expression<SqlBool> {
  return row.or([row('primary_region', 'is', null), row('primary_region', '=', row.ref('region'))])
}

/** The position of a row in its list. */
function placeOf(
  due: number | null,
  row: Pick<KeysTable, 'account_id' | 'region' | 'key_id'>,
): string {
  return JSON.stringify([due, row.account_id, row.region, row.key_id])
}

function isAfter(
  row: ExpressionBuilder<Schema, 'keys'>,
  column: DueColumn,
  place: string,
): Expression<SqlBool> {
  const [due, accountId, region, keyId] = JSON.parse(place) as [number, string, string, string]
  return row(
    row.refTuple(column, 'account_id', 'region', 'key_id'),
    '>',
    row.tuple(due, accountId, region, keyId),
  )
}
