/** The rows of figures of external key stores. @module */
import { sql } from 'kysely'
import type { CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import type { KeyStoreFigure, KeyStoreFigureRef } from '../../model/key-store-figure.ts'
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
  /** Adds values to those of the same period. No two of them are of the same series and period. */
  saveKeyStoreFigures(figures: readonly KeyStoreFigure[]): Promise<void>
}

/** Figures in one statement. */
const savedMax = 64

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
      for (let start = 0; start < figures.length; start += savedMax) {
        await save(query, figures.slice(start, start + savedMax))
      }
    },
  }
}

/** Saves figures in one statement. */
async function save(query: RowScope['query'], figures: readonly KeyStoreFigure[]): Promise<void> {
  await query
    .insertInto('key_store_figures')
    .values(figures.map((figure) => keyStoreFigures.toRow(figure)))
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'region', 'store_id', 'name', 'dimensions', 'period', 'start'])
        .doUpdateSet((row) => {
          const [minimum, least] = [
            row.ref('key_store_figures.minimum'),
            row.ref('excluded.minimum'),
          ]
          const [maximum, most] = [
            row.ref('key_store_figures.maximum'),
            row.ref('excluded.maximum'),
          ]
          return {
            samples: row('key_store_figures.samples', '+', row.ref('excluded.samples')),
            sum: row('key_store_figures.sum', '+', row.ref('excluded.sum')),
            minimum: sql<number>`CASE WHEN ${least} < ${minimum} THEN ${least} ELSE ${minimum} END`,
            maximum: sql<number>`CASE WHEN ${most} > ${maximum} THEN ${most} ELSE ${maximum} END`,
          }
        }),
    )
    .execute()
}
