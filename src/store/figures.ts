/** Reads of the counts of requests and of changes in keys' lives. @module */
import type { KeptTurn, RequestCount } from '../model/usage.ts'
import type { Called, CalledPage, CountedRequests, RequestSum } from './tables/metric-rows.ts'
import type { KeyStoreFigureReads } from './tables/key-store-figure-rows.ts'
import type { CountPage, TurnPage } from './tables/usage-rows.ts'
import type { Page } from './page.ts'

export interface Figures extends KeyStoreFigureReads {
  /** Ordered by Region, time, keys and operation. */
  listRequestCounts(page: CountPage): Promise<readonly RequestCount[]>
  /** Changes in the lives of an account's keys, ordered by key and time. */
  listKeyTurns(accountId: string, page: TurnPage): Promise<readonly KeptTurn[]>
  /**
   * The operations that were called and the keys they were called on, ordered by keys and
   * operation.
   */
  listCalled(page: CalledPage): Promise<readonly Called[]>
  /** Operations that the account's own callers used in a period that begins at or after `since`. */
  listCalledOperations(of: Omit<CalledPage, 'operations' | 'limit'>): Promise<readonly string[]>
  /** Requests by period, ordered by time. Periods without requests are left out. */
  sumRequests(of: CountedRequests): Promise<readonly RequestSum[]>
  /** Ids of an account's keys in a Region with expiring material, in order. */
  listExpiringKeys(accountId: string, region: string, page: Page): Promise<readonly string[]>
}
