/**
 * The tables of the event index and of counts of requests. They decide nothing, so they have no row
 * tags, and nothing caches them.
 * @module
 */
import type { CountPeriod, KeptTurn, RequestCount } from '../../model/usage.ts'
import { bytes, counter, flag, number, optional, text } from './columns.ts'
import { table, tableOf } from './table.ts'

/** The audit records of one account, Region and hour, compressed. */
export const eventBlocks = table({
  name: 'event_blocks',
  columns: {
    block: counter(),
    /** Days since the epoch. */
    day: number(),
    content: bytes(),
  },
  primaryKey: ['block'],
  indexes: [{ name: 'event_blocks_by_day', columns: ['day'] }],
})

/** Sorted postings of a day: which blocks have events with which tokens. */
export const eventRuns = table({
  name: 'event_runs',
  columns: {
    run: counter(),
    day: number(),
    /** How often its postings were merged; negative for a run that is not used. */
    level: number(),
    first_time: number(),
    last_time: number(),
  },
  primaryKey: ['run'],
  indexes: [{ name: 'event_runs_by_day', columns: ['day', 'level'] }],
})

/** The pages of runs, in the form of `tables/event-postings.ts`. */
export const eventRunPages = table({
  name: 'event_run_pages',
  columns: { run: number(), first: bytes(), content: bytes() },
  primaryKey: ['run', 'first'],
  clustered: true,
})

/** The end of the indexed records of each journal stream. */
export const eventIndexPositions = table({
  name: 'event_index_positions',
  columns: { stream: text(), segment: number(), offset: number() },
  primaryKey: ['stream'],
})

/** Requests of an account in a Region on the same keys within one minute, hour or month. */
export const requestCounts = tableOf<RequestCount & { readonly period: CountPeriod }>()({
  name: 'request_counts',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    period: text('period'),
    start: number('start'),
    /** Separated by spaces. */
    key_arns: text('keyArns'),
    operation: text('operation'),
    /** Whether the caller belongs to the account. */
    own: flag('own'),
    succeeded: number('succeeded'),
    failed: number('failed'),
  },
  primaryKey: ['account_id', 'region', 'period', 'start', 'key_arns', 'operation', 'own'],
  indexes: [
    { name: 'request_counts_by_start', columns: ['period', 'start'] },
    // A series of a metric is one range of it.
    {
      name: 'request_counts_by_key',
      columns: ['account_id', 'region', 'period', 'key_arns', 'operation', 'start'],
    },
  ],
  clustered: true,
})

/** Changes in the lives of keys, with their times. */
export const keyTurns = tableOf<KeptTurn>()({
  name: 'key_turns',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    key_arn: text('keyArn'),
    at: number('at'),
    state: text('state'),
    spec: optional(text('spec')),
    manager: optional(text('manager')),
  },
  primaryKey: ['account_id', 'key_arn', 'at', 'state'],
  clustered: true,
})
