/**
 * The thread that fills the event index. It is a thread of its own because parsing, compressing and
 * merging must not delay calls. `event-index.ts` starts it with `EventIndexSettings`.
 * @module
 */
import { findIndexPositions, saveEventBlocks } from '../../store/tables/event-index-rows.ts'
import { mergeEventRuns } from '../../store/tables/event-runs.ts'
import { attachDatabase } from '../../store/open.ts'
import { takeLease } from '../../store/tables/leases.ts'
import { createClock } from '../../jobs/clock.ts'
import { serveThread } from '../../threads/thread.ts'
import { createFiller } from './fill-event-index.ts'
import { nodeFiles } from '../../disk/files.ts'
import type { EventIndexQuestions, EventIndexSettings } from './event-index.ts'
import type { NewRecords } from './new-records.ts'

const leaseMs = 120_000

serveThread<EventIndexSettings, EventIndexQuestions>(({ database, directory }) => {
  const { query, nodeId } = attachDatabase(database)
  const filler = createFiller(
    { files: nodeFiles, directory },
    {
      positions: () => findIndexPositions(query),
      save: (...saved) => saveEventBlocks(query, ...saved),
    },
  )
  const clock = createClock()
  let merging: Promise<void> | undefined
  let mergeError: unknown
  const merge = async (): Promise<void> => {
    try {
      // One node merges the runs of all.
      const lease = { name: 'merge the event index', holder: nodeId ?? '' }
      const mayMerge = async (): Promise<boolean> =>
        nodeId === undefined || (await takeLease(query, lease, clock.system(), leaseMs))
      while ((await mayMerge()) && (await mergeEventRuns(query))) continue
    } catch (error) {
      mergeError = error
    }
    merging = undefined
  }
  return {
    async fill(streams) {
      try {
        const count = await filler.index(streams)
        if (mergeError !== undefined) throw mergeError
        return count
      } finally {
        mergeError = undefined
        release(streams)
        // Fillings do not wait for it. The next one reports its failure.
        merging ??= merge()
      }
    },
  }
})

/** Frees the records' memory now: the collector does not see that it is much. */
function release(streams: readonly NewRecords[]): void {
  for (const { frames } of streams.flatMap(({ batches }) => batches)) {
    frames.buffer.transfer(0)
  }
}
