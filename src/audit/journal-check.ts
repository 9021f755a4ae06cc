/**
 * Checks the journal's closed segments once after a start, in the background, and reports those that
 * are missing or were changed. Records are written meanwhile.
 * @module
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Store } from '../store/store.ts'
import type { JournalCheckSettings, SegmentFlaw } from './journal-check-thread.ts'

export interface JournalCheck {
  /** Resolves when every segment has been checked, or the check was closed. */
  readonly done: Promise<void>
  close(): Promise<void>
}

export async function checkClosedSegments(ports: {
  readonly store: Pick<Store, 'listAuditWriters'>
  /** The journal's directory. */
  readonly directory: string
  /** Called for each segment that is missing or damaged. */
  readonly onError: (error: Error) => void
}): Promise<JournalCheck> {
  const { store, directory, onError } = ports
  const writers = await store.listAuditWriters()
  const streams = writers.map(({ stream, first }) => ({ stream, first: first.segment }))
  const settings: JournalCheckSettings = { directory, streams }
  const thread = new Worker(new URL('journal-check-thread.ts', import.meta.url), {
    name: 'trent journal check',
    workerData: settings,
  })
  thread.unref()
  const reports: Promise<void>[] = []
  thread.on('message', (flaw: SegmentFlaw) => {
    reports.push(report(flaw, store, onError))
  })
  thread.on('error', (cause) => onError(new Error('the journal could not be checked', { cause })))
  const ended = once(thread, 'exit')
  const finish = async (): Promise<void> => {
    await ended
    await Promise.all(reports)
  }
  const done = finish()
  return {
    done,
    async close() {
      await thread.terminate()
      await done
    },
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
