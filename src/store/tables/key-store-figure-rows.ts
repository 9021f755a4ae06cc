/** The rows of figures of external key stores. @module */
import { sql } from 'kysely'
import type { CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import type { KeyStoreFigure, KeyStoreFigureRef } from '../../model/key-store-figure.ts'
import { countPeriods } from '../../model/usage.ts'
import type { RowScope } from '../row-scope.ts'
import { keyStoreFigures } from '../schema/key-store-figures.ts'
import { tableReads } from './table-rows.ts'

export interface KeyStoreFigureReads {
  /** One series, in order of time, of periods that begin at or after `from` and before `until`. */
  listKeyStoreFigures(
    of: KeyStoreFigureRef &
      Pick<KeyStoreFigure, 'period'> & { readonly from: number; readonly until: number },
  ): Promise<readonly KeyStoreFigure[]>
  /** The series of an account and Region with a value at or after `since`. Stores are few. */
  listKeyStoreSeries(
    of: Pick<CustomKeyStoreRef, 'accountId' | 'region'> & {
      readonly period: KeyStoreFigure['period']
      readonly since: number
      readonly limit: number
    },
  ): Promise<readonly KeyStoreFigureRef[]>
}

export interface KeyStoreFigureStore extends KeyStoreFigureReads {
  /** Adds values to those of the same period. */
  saveKeyStoreFigures(figures: readonly KeyStoreFigure[]): Promise<void>
  /** Returns whether more may be too old. */
  deleteOldKeyStoreFigures(now: number): Promise<boolean>
}

const deletedMax = 500

export function keyStoreFigureReads(scope: RowScope): KeyStoreFigureReads {
  const { acceptAll } = tableReads(keyStoreFigures, scope)
  const { query } = scope
  return {
    async listKeyStoreFigures({ accountId, region, storeId, name, dimensions, period, ...span }) {
      const found = await query
        .selectFrom('key_store_figures')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('region', '=', region)
        .where('store_id', '=', storeId)
        .where('name', '=', name)
        .where('dimensions', '=', dimensions)
        .where('period', '=', period)
        .where('start', '>=', span.from)
        .where('start', '<', span.until)
        .orderBy('start')
        .execute()
      return acceptAll(found)
    },
    async listKeyStoreSeries({ accountId, region, period, since, limit }) {
      const found = await query
        .selectFrom('key_store_figures')
        .select(['store_id', 'name', 'dimensions'])
        .distinct()
        .where('account_id', '=', accountId)
        .where('region', '=', region)
        .where('period', '=', period)
        .where('start', '>=', since)
        .orderBy('store_id')
        .orderBy('name')
        .orderBy('dimensions')
        .limit(limit)
        .execute()
      return found.map(({ store_id: storeId, name, dimensions }) => ({
        accountId,
        region,
        storeId,
        name: name as KeyStoreFigureRef['name'], // only those names are written
        dimensions,
      }))
    },
  }
}

export function keyStoreFigureStore(scope: RowScope): KeyStoreFigureStore {
  const { query } = scope
  return {
    ...keyStoreFigureReads(scope),
    async saveKeyStoreFigures(figures) {
      for (const figure of figures) {
        await query
          .insertInto('key_store_figures')
          .values(keyStoreFigures.toRow(figure))
          .onConflict((conflict) =>
            conflict
              .columns([
                'account_id',
                'region',
                'store_id',
                'name',
                'dimensions',
                'period',
                'start',
              ])
              .doUpdateSet((row) => ({
                samples: sql<number>`${row.ref('key_store_figures.samples')} + ${figure.samples}`,
                sum: sql<number>`${row.ref('key_store_figures.sum')} + ${figure.sum}`,
                minimum: sql<number>`CASE WHEN ${row.ref('key_store_figures.minimum')} > ${figure.minimum}
                  THEN ${figure.minimum} ELSE ${row.ref('key_store_figures.minimum')} END`,
                maximum: sql<number>`CASE WHEN ${row.ref('key_store_figures.maximum')} < ${figure.maximum}
                  THEN ${figure.maximum} ELSE ${row.ref('key_store_figures.maximum')} END`,
              })),
          )
          .execute()
      }
    },
    async deleteOldKeyStoreFigures(now) {
      let isMore = false
      for (const period of ['minute', 'hour'] as const) {
        const old = await query
          .selectFrom('key_store_figures')
          .select(['account_id', 'region', 'store_id', 'name', 'dimensions', 'period', 'start'])
          .where('period', '=', period)
          .where('start', '<', now - countPeriods[period].keptMs)
          .limit(deletedMax)
          .execute()
        for (const row of old) {
          await query
            .deleteFrom('key_store_figures')
            .where((each) => each.and(row))
            .execute()
        }
        isMore ||= old.length === deletedMax
      }
      return isMore
    },
  }
}
