/**
 * Checks the journal's closed segments once after a start, in the background, and reports those that
 * are missing or were changed. Records are written meanwhile.
 * @module
 */
import { nodeFiles } from '../disk/files.ts'
import type { Store } from '../store/store.ts'
import { createThread, type Thread } from '../threads/thread.ts'
import { listSegments } from './journal/walk-stream.ts'

export interface JournalCheck {
  /** Resolves when every segment has been checked, or the check was closed. */
  readonly done: Promise<void>
  close(): Promise<void>
}

/** Segments of one stream that are no longer written. */
export interface ClosedSegments {
  /** The journal's directory. */
  readonly directory: string
  readonly stream: string
  readonly first: number
  /** The segment after the last one. */
  readonly end: number
}

/** A closed segment that is missing or damaged. */
export interface SegmentFlaw {
  readonly stream: string
  readonly segment: number
  readonly offset: number
  readonly why: string
}

export type JournalCheckQuestions = {
  /** Reports each flaw, and answers at the end. */
  readonly check: readonly [ClosedSegments, void]
}

/** What the thread asks. */
export type FlawQuestions = { readonly report: readonly [SegmentFlaw, void] }

interface JournalCheckDependencies {
  readonly store: Pick<Store, 'listAuditWriters'>
  /** The journal's directory. */
  readonly directory: string
  /** Called for each segment that is missing or damaged. */
  readonly onError: (error: Error) => void
}

/** Starts a thread if a segment is closed. */
export function checkClosedSegments(dependencies: JournalCheckDependencies): JournalCheck {
  const { store, onError } = dependencies
  let isClosed = false
  const thread = createThread<JournalCheckQuestions, FlawQuestions>({
    program: new URL('journal-check-thread.ts', import.meta.url),
    name: 'journal check',
    answers: { report: (flaw) => report(flaw, store, onError) },
  })
  const done = checkStreams(dependencies, thread).catch((cause: unknown) => {
    if (!isClosed) onError(new Error('the journal could not be checked', { cause }))
  })
  return {
    done,
    async close() {
      isClosed = true
      await thread.end()
      await done
    },
  }
}

async function checkStreams(
  { store, directory, onError }: JournalCheckDependencies,
  thread: Thread<JournalCheckQuestions>,
): Promise<void> {
  for (const { stream, first } of await store.listAuditWriters()) {
    const end = await lastSegment(directory, stream)
    if (end === undefined) {
      const flaw = { stream, segment: first.segment, offset: 0, why: 'the stream is missing' }
      await report(flaw, store, onError)
    } else if (first.segment < end) {
      await thread.ask('check', { directory, stream, first: first.segment, end })
    }
  }
  await thread.end()
}

/** The last segment is still being written. */
async function lastSegment(directory: string, stream: string): Promise<number | undefined> {
  try {
    return (await listSegments({ files: nodeFiles, directory, stream })).numbers.at(-1)
  } catch {
    return undefined
  }
}

async function report(
  { stream, segment, offset, why }: SegmentFlaw,
  store: Pick<Store, 'listAuditWriters'>,
  onError: (error: Error) => void,
): Promise<void> {
  // Retention may have deleted the segment meanwhile.
  const writers = await store.listAuditWriters().catch(() => [])
  const first = writers.find((writer) => writer.stream === stream)?.first.segment ?? segment
  if (segment < first) return
  const where = `segment ${segment} of stream ${stream}, offset ${offset}`
  onError(new Error(`the journal is damaged: ${where}: ${why}`))
}
