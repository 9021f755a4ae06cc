/** The rows of restorations from a backup. @module */
import type { RowScope } from '../row-scope.ts'
import { restorations, type RestorationRecord } from '../schema/deployment.ts'
import { saveRecord, tableReads } from './table-rows.ts'

export interface Restorations {
  /** When the deployment was last restored; 0 if never. */
  lastRestoredAt(): Promise<number>
  saveRestoration(restoration: RestorationRecord): Promise<void>
}

export function restorationStore(scope: RowScope): Restorations {
  const { acceptAll } = tableReads(restorations, scope)
  return {
    async lastRestoredAt() {
      const rows = await scope.query.selectFrom('restorations').selectAll().execute()
      return Math.max(0, ...acceptAll(rows).map(({ restoredAt }) => restoredAt))
    },
    saveRestoration: (restoration) => saveRecord(restorations, scope, restoration),
  }
}
