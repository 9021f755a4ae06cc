/** The trails of an account, including the one that the operator's settings give it. @module */
import type { TrailRecord } from '../../model/trail.ts'
import type { StoreReads } from '../../store/store.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

export async function accountTrails(
  accountId: string,
  store: Pick<StoreReads, 'listTrails'>,
  trails: Pick<OperationDependencies['trails'], 'operatorTrail'>,
): Promise<readonly TrailRecord[]> {
  const operator = trails.operatorTrail(accountId)
  return [...(await store.listTrails(accountId)), ...(operator ? [operator] : [])]
}
