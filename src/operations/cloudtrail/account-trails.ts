/** The trails that an account has in a Region, those of other Regions that cover it among them. @module */
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
