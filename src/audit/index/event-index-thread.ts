/**
 * The thread that fills the event index. It is a thread of its own because reading, parsing and
 * compressing must not delay calls. `event-index.ts` starts it with `EventIndexSettings`.
 * @module
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import {
  findIndexPositions,
  saveEventBlocks,
  type IndexPosition,
} from '../../store/tables/event-index-rows.ts'
import { attachDatabase, type SharedDatabase } from '../../store/open.ts'
import { fillEventIndex } from './fill-event-index.ts'
import { nodeFiles } from '../../disk/files.ts'

export interface EventIndexSettings {
  readonly database: SharedDatabase
  /** The journal's directory. */
  readonly directory: string
}

/** Orders the thread to index everything before these positions. */
export interface FillOrder {
  readonly durable: readonly IndexPosition[]
}

export type FillAnswer = { readonly filled: number } | { readonly failure: string }

function serve(port: MessagePort, { database, directory }: EventIndexSettings): void {
  const { query } = attachDatabase(database)
  const rows = {
    positions: () => findIndexPositions(query),
    save: (
      ...saved: Parameters<typeof saveEventBlocks> extends [unknown, ...infer R] ? R : never
    ) => saveEventBlocks(query, ...saved),
  }
  const fill = async ({ durable }: FillOrder): Promise<FillAnswer> => {
    try {
      return { filled: await fillEventIndex({ files: nodeFiles, directory, durable }, rows) }
    } catch (error) {
      return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  port.on('message', (order: FillOrder) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    void fill(order).then((answer) => port.postMessage(answer))
  })
}

// Only `event-index.ts` starts this thread.
if (parentPort !== null) serve(parentPort, workerData as EventIndexSettings)
