/**
 * Keeps the event index up to date with the journal. Every second it hands over what has become durable
 * to a thread, which also indexes what an earlier process did not finish. No call waits for it.
 * @module
 */
import type { IndexPosition } from '../../store/tables/event-index-rows.ts'
import { portsOf, type SharedDatabase } from '../../store/open.ts'
import type { NewRecords } from './new-records.ts'
import { createThread } from '../../threads/thread.ts'

/** The settings with which the thread starts. */
export interface EventIndexSettings {
  readonly database: SharedDatabase
  /** The journal's directory. */
  readonly directory: string
}

export type EventIndexQuestions = {
  /**
   * Indexes new records of all streams that are being written, and what it lacks before them. Answers
   * with the number of events.
   */
  readonly fill: readonly [readonly NewRecords[], number]
}

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
  /** Takes the new records of every stream that is being written. */
  readonly take: () => Promise<readonly NewRecords[]>
  /** Called when the index could not be filled; it is tried again. */
  readonly onError: (error: Error) => void
  readonly periodMs?: number
}

const periodMsDefault = 1000

export function createEventIndex(options: EventIndexOptions): EventIndex {
  const { database, directory, durable, take, onError, periodMs = periodMsDefault } = options
  let ended: Error | undefined
  const thread = createThread<EventIndexQuestions>({
    program: new URL('event-index-thread.ts', import.meta.url),
    name: 'event index',
    data: { database, directory } satisfies EventIndexSettings,
    transfer: [...portsOf(database)],
    // Its objects live no longer than a filling. Without a limit, the heap would keep those of many.
    youngHeapMegabytes: 2,
    onEnd: (error) => (ended = error),
  })
  let filling: Promise<void> | undefined
  let reached = ''
  /** When the index last held everything durable, by a clock that nobody can set. */
  let currentAt = performance.now()
  const fillToDurable = async (): Promise<void> => {
    const started = performance.now()
    const places = await durable()
    const wanted = namesOf(places)
    if (wanted !== reached) {
      const streams = await take()
      const transfer = streams.flatMap(({ batches }) => batches.map(({ frames }) => frames.buffer))
      await thread.ask('fill', streams, { transfer }).catch((cause: unknown) => {
        throw new Error('the event index is not filled yet', { cause })
      })
    }
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
      await thread.end()
    },
  }
}

function namesOf(places: readonly IndexPosition[]): string {
  return places.map(({ stream, segment, offset }) => `${stream}/${segment}/${offset}`).join()
}
