/**
 * The thread that fills the event index. It is a thread of its own because reading, parsing and
 * compressing must not delay calls. `event-index.ts` starts it with `EventIndexSettings`.
 * @module
 */
import { findIndexPositions, saveEventBlocks } from '../../store/tables/event-index-rows.ts'
import { attachDatabase } from '../../store/open.ts'
import { serveThread } from '../../threads/thread.ts'
import { fillEventIndex } from './fill-event-index.ts'
import { nodeFiles } from '../../disk/files.ts'
import type { EventIndexQuestions, EventIndexSettings } from './event-index.ts'

serveThread<EventIndexSettings, EventIndexQuestions>(({ database, directory }) => {
  const { query } = attachDatabase(database)
  const rows = {
    positions: () => findIndexPositions(query),
    save: (
      ...saved: Parameters<typeof saveEventBlocks> extends [unknown, ...infer R] ? R : never
    ) => saveEventBlocks(query, ...saved),
  }
  return { fill: (durable) => fillEventIndex({ files: nodeFiles, directory, durable }, rows) }
})
