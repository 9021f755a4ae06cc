/**
 * The table of figures of external key stores. They decide nothing, so they have no row tags, and nothing
 * caches them.
 * @module
 */
import type { KeyStoreFigure } from '../../model/key-store-figure.ts'
import { number, text } from './columns.ts'
import { tableOf } from './table.ts'

export const keyStoreFigures = tableOf<KeyStoreFigure>()({
  name: 'key_store_figures',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    store_id: text('storeId'),
    name: text('name'),
    dimensions: text('dimensions'),
    period: text('period'),
    start: number('start'),
    samples: number('samples'),
    sum: number('sum'),
    minimum: number('minimum'),
    maximum: number('maximum'),
  },
  primaryKey: ['account_id', 'region', 'store_id', 'name', 'dimensions', 'period', 'start'],
  indexes: [{ name: 'key_store_figures_by_start', columns: ['period', 'start'] }],
  clustered: true,
  emptied: true,
})
