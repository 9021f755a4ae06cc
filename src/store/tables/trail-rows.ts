/** The rows of trails. @module */
import type { TrailRecord, TrailRef } from '../../model/trail.ts'
import { readTrailText } from '../../model/delivery.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { trails } from '../schema/audit.ts'
import { tableReads, tableWrites, type Changes } from './table-rows.ts'

export interface TrailReads {
  findTrail(ref: TrailRef): Promise<TrailRecord | undefined>
  /** All trails of an account by home Region and name. A quota keeps them few. */
  listTrails(accountId: string): Promise<readonly TrailRecord[]>
  /** Trails of all accounts; `after` is `account/home Region/name`. */
  listEveryTrail(page: Page): Promise<readonly TrailRecord[]>
}

/** The members of a trail that a change may set. `undefined` clears an optional member. */
export type TrailChanges = Changes<Omit<TrailRecord, keyof TrailRef | 'createdAt' | 'rowVersion'>>

export interface TrailWrites {
  /** @throws {DuplicateRow} if the account has a trail of that name in its home Region */
  insertTrail(trail: Omit<TrailRecord, 'rowVersion'>): Promise<TrailRecord>
  /** @throws {StaleRow} */
  updateTrail(trail: TrailRecord, changes: TrailChanges): Promise<TrailRecord>
  /** @throws {StaleRow} */
  deleteTrail(trail: TrailRecord): Promise<void>
}

export function trailReads(scope: RowScope): TrailReads {
  const { find, acceptAll, page: pageOf } = tableReads(trails, scope)
  const all = () => scope.query.selectFrom('trails').selectAll()
  return {
    findTrail: find,
    async listTrails(accountId) {
      const found = await all()
        .where('account_id', '=', accountId)
        .orderBy('home_region')
        .orderBy('name')
        .execute()
      return acceptAll(found)
    },
    listEveryTrail(page) {
      const fetch = (after: string | undefined, limit: number) => {
        const { accountId, homeRegion, name } = readTrailText(after ?? '')
        return all()
          .$if(after !== undefined, (some) =>
            some.where((row) =>
              row.eb(
                row.refTuple('account_id', 'home_region', 'name'),
                '>',
                row.tuple(accountId, homeRegion, name),
              ),
            ),
          )
          .orderBy('account_id')
          .orderBy('home_region')
          .orderBy('name')
          .limit(limit)
          .execute()
      }
      // None of the parts contains a slash.
      return pageOf(page, fetch, (row) => `${row.account_id}/${row.home_region}/${row.name}`)
    },
  }
}

export function trailWrites(scope: WriteScope): TrailWrites {
  const writes = tableWrites(trails, scope)
  return { insertTrail: writes.insert, updateTrail: writes.update, deleteTrail: writes.delete }
}
