/** The row of the latest time at which anything was decided. @module */
import type { RowScope } from '../row-scope.ts'
import { clockMark } from '../schema/deployment.ts'
import { saveRecord, tableReads } from './table-rows.ts'

export interface ClockMark {
  /** The latest time at which anything was decided; undefined at the first start. */
  findClockMark(): Promise<number | undefined>
  saveClockMark(reached: number): Promise<void>
}

export function clockMarkStore(scope: RowScope): ClockMark {
  return {
    findClockMark: async () => (await tableReads(clockMark, scope).find({ id: 1 }))?.reached,
    saveClockMark: (reached) => saveRecord(clockMark, scope, { id: 1, reached }),
  }
}
