/** The table of what nodes have of request quotas. @module */
import type { QuotaClaim } from '../../model/quota-share.ts'
import { number, text } from './columns.ts'
import { tableOf } from './table.ts'

/**
 * No row has a tag: a claim decides only how many calls are refused for a moment, and whoever writes the
 * database can refuse calls in any case.
 */
export const quotaClaims = tableOf<QuotaClaim>()({
  name: 'quota_claims',
  columns: {
    bucket: text('bucket'),
    node: text('node'),
    share: number('share'),
    asked: number('asked'),
    beat: number('beat'),
  },
  primaryKey: ['bucket', 'node'],
  indexes: [{ name: 'quota_claims_by_node', columns: ['node'] }],
})
