/**
 * Keeps the event index up to date with the journal. Every second it indexes what has become durable,
 * including what an earlier process did not finish. No call waits for it.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { IndexPosition } from '../../store/tables/event-index-rows.ts'
import type { SharedDatabase } from '../../store/open.ts'
import type { EventIndexSettings, FillAnswer, FillOrder } from './event-index-thread.ts'

export interface EventIndex {
  /** Resolves when the index holds everything that is durable now. @throws when that failed */
  fill(): Promise<void>
  /** How long the index has lacked something durable, in milliseconds; 0 when it is up to date. */
  lagMs(): Promise<number>
  /** Indexes what is left, then ends. The journal and the database must still be open. */
  close(): Promise<void>
}

export interface EventIndexOptions {
  readonly database: SharedDatabase
  /** The journal's directory. */
  readonly directory: string
  /** The durable position of every stream that is being written. */
  readonly durable: () => readonly IndexPosition[] | Promise<readonly IndexPosition[]>
  /** Called when the index could not be filled; it is tried again. */
  readonly onError: (error: Error) => void
  readonly periodMs?: number
}

const periodMsDefault = 1000

export function createEventIndex(options: EventIndexOptions): EventIndex {
  const { database, directory, durable, onError, periodMs = periodMsDefault } = options
  const settings: EventIndexSettings = { database, directory }
  const thread = new Worker(new URL('event-index-thread.ts', import.meta.url), {
    name: 'trent event index',
    workerData: settings,
    transferList: [database.port],
  })
  thread.unref()
  let ended: Error | undefined
  thread.on('error', (error) => {
    ended = error instanceof Error ? error : new Error(String(error))
  })
  thread.once('exit', () => {
    ended ??= new Error('the thread of the event index ended')
  })
  let filling: Promise<void> | undefined
  let reached = ''
  /** When the index last held everything durable, by a clock that nobody can set. */
  let currentAt = performance.now()
  const fillToDurable = async (): Promise<void> => {
    const started = performance.now()
    const places = await durable()
    const wanted = namesOf(places)
    if (wanted !== reached) await ask(thread, () => ended, { durable: places })
    reached = wanted
    currentAt = started
  }
  const start = (): Promise<void> => {
    filling = fillToDurable().finally(() => {
      filling = undefined
    })
    return filling
  }
  const fill = async (): Promise<void> => {
    // A filling under way may have begun before the caller's records were durable.
    await filling?.catch(() => undefined)
    await (filling ?? start())
  }
  const timer = setInterval(() => {
    if (filling === undefined && ended === undefined) start().catch(onError)
  }, periodMs).unref()
  return {
    fill,
    async lagMs() {
      return namesOf(await durable()) === reached ? 0 : performance.now() - currentAt
    },
    async close() {
      clearInterval(timer)
      if (ended === undefined) await fill().catch(onError)
      await thread.terminate()
    },
  }
}

function namesOf(places: readonly IndexPosition[]): string {
  return places.map(({ stream, segment, offset }) => `${stream}/${segment}/${offset}`).join()
}

/** Only one order is under way at a time, so the next answer belongs to it. */
function ask(thread: Worker, ended: () => Error | undefined, order: FillOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      thread.off('message', onAnswer)
      reject(new Error('the event index is not filled', { cause: ended() }))
    }
    const onAnswer = (answer: FillAnswer): void => {
      thread.off('exit', fail)
      if ('filled' in answer) return resolve()
      reject(new Error('the event index is not filled yet', { cause: answer.failure }))
    }
    if (ended() !== undefined) return fail()
    thread.once('message', onAnswer)
    thread.once('exit', fail)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    thread.postMessage(order)
  })
}
