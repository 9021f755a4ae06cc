/** Lists the keys that are due for rotation, deletion or another job. @module */
import type { KeyRecord } from '../../model/key.ts'
import type { DuePage } from '../page.ts'
import type { RowScope } from '../row-scope.ts'
import { keys } from '../schema/keys.ts'
import type { Row } from '../schema/schema.ts'
import { tableReads } from './table-rows.ts'

export interface DueKeyReads {
  /** Keys of all accounts and Regions that are past their waiting period before deletion. */
  listKeysToDelete(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Enabled keys of all accounts and Regions with automatic rotation due, without replicas. */
  listKeysToRotate(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Keys in any state with an on-demand rotation started by then, without replicas. */
  listStartedRotations(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
  /** Keys that became Creating or Updating by then. */
  listTransitions(page: DuePage<KeyRecord>): Promise<readonly KeyRecord[]>
}

/** A job, and the keys that it is for. */
interface Due {
  readonly column:
    | 'deletion_date'
    | 'next_rotation_at'
    | 'on_demand_rotation_started_at'
    | 'transition_started_at'
  readonly state?: KeyRecord['state']
  /** A replica copies the column from its primary key, which is rotated for both. */
  readonly withoutReplicas?: true
}

export function dueKeyReads(scope: RowScope): DueKeyReads {
  const { page: pageOf } = tableReads(keys, scope)
  const list = (
    { column, state, withoutReplicas }: Due,
    { dueBy, after, limit }: DuePage<KeyRecord>,
  ): Promise<readonly KeyRecord[]> => {
    const fetch = (from: string | undefined, most: number): Promise<readonly Row<'keys'>[]> =>
      scope.query
        .selectFrom('keys')
        .selectAll()
        .where(column, '<=', dueBy)
        .$if(state !== undefined, (some) => some.where('state', '=', state ?? ''))
        .$if(withoutReplicas === true, (some) =>
          some.where((row) =>
            row.or([
              row('primary_region', 'is', null),
              row('primary_region', '=', row.ref('region')),
            ]),
          ),
        )
        .$if(from !== undefined, (some) =>
          some.where((row) => {
            const [due, accountId, region, keyId] = JSON.parse(from ?? '') as DuePosition
            return row(
              row.refTuple(column, 'account_id', 'region', 'key_id'),
              '>',
              row.tuple(due, accountId, region, keyId),
            )
          }),
        )
        .orderBy(column)
        .orderBy('account_id')
        .orderBy('region')
        .orderBy('key_id')
        .limit(most)
        .execute()
    const placeOf = (row: Omit<Row<'keys'>, 'row_tag'>): string =>
      JSON.stringify([row[column], row.account_id, row.region, row.key_id])
    const start = after === undefined ? {} : { after: placeOf(keys.toRow(after)) }
    return pageOf({ ...start, limit }, fetch, placeOf)
  }
  return {
    listKeysToDelete: (page) => list({ column: 'deletion_date', state: 'PendingDeletion' }, page),
    listKeysToRotate: (page) =>
      list({ column: 'next_rotation_at', state: 'Enabled', withoutReplicas: true }, page),
    listStartedRotations: (page) =>
      list({ column: 'on_demand_rotation_started_at', withoutReplicas: true }, page),
    listTransitions: (page) => list({ column: 'transition_started_at' }, page),
  }
}

/** The position of a row in its list: the time at which it is due, and its primary key. */
type DuePosition = [number, string, string, string]
