/** The tables of keys' last uses, and of how many keys and aliases there are. @module */
import type { LastUsage } from '../../model/last-usage.ts'
import type { Counted } from '../tally.ts'
import { number, rowTag, text } from './columns.ts'
import { keys } from './keys.ts'
import { tableOf } from './table.ts'

/** The last use of a key, in the form of its row. */
interface KeptUsage extends Omit<LastUsage, 'unproved' | 'operation'> {
  /** Empty until the key is used after `usedAt`. */
  readonly operation: string
}

/** Every key has a row from its creation on, so that a deleted row is noticed. */
export const keyUsage = tableOf<KeptUsage>()({
  name: 'key_usage',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    key_id: text('keyId'),
    operation: text('operation'),
    used_at: number('usedAt'),
    event_id: text('eventId'),
    request_id: text('requestId'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'key_id'],
  references: [
    {
      columns: ['account_id', 'region', 'key_id'],
      to: keys,
      whenDeleted: 'delete',
      whenMoved: 'move',
    },
  ],
  emptied: true,
})

/** One row, with the id 1: the time since when uses of keys are recorded. */
export const keyUsageTracking = tableOf<{ readonly id: number; readonly since: number }>()({
  name: 'key_usage_tracking',
  columns: { id: number('id'), since: number('since'), row_tag: rowTag },
  primaryKey: ['id'],
})

/** The number of customer managed keys, or aliases, of an account in a Region. */
export const resourceCounts = tableOf<Counted & { readonly count: number }>()({
  name: 'resource_counts',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    kind: text('kind'),
    count: number('count'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'kind'],
  emptied: true,
})
