/** What is read of requests and turns in keys' lives, counted. @module */
import type { KeptTurn, RequestCount } from '../model/usage.ts'
import type { Called, CalledPage, CountedRequests, RequestSum } from './tables/metric-rows.ts'
import type { CountPage, TurnPage } from './tables/usage-rows.ts'
import type { Page } from './page.ts'

export interface Figures {
  /** By Region, time, keys and operation. */
  listRequestCounts(page: CountPage): Promise<readonly RequestCount[]>
  /** Turns in the lives of an account's keys, by key and time. */
  listKeyTurns(accountId: string, page: TurnPage): Promise<readonly KeptTurn[]>
  /** Which operations were called on which keys, by keys and operation. */
  listCalled(page: CalledPage): Promise<readonly Called[]>
  /** Operations that callers of the account have called in a period that begins from `since`. */
  listCalledOperations(of: Omit<CalledPage, 'operations' | 'limit'>): Promise<readonly string[]>
  /** Requests by period, in the order of time; periods without any are left out. */
  sumRequests(of: CountedRequests): Promise<readonly RequestSum[]>
  /** Ids of an account's keys in a Region whose material expires, in their order. */
  listExpiringKeys(accountId: string, region: string, page: Page): Promise<readonly string[]>
}
