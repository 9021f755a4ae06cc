/**
 * The thread that checks the closed segments of a journal once, from first to last. It is a thread of
 * its own because hashing gigabytes must not delay calls. `journal-check.ts` starts it with
 * `JournalCheckSettings`.
 * @module
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { nodeFiles } from '../disk/files.ts'
import { listSegments, walkStream, type StreamFiles } from './journal/walk-stream.ts'

export interface JournalCheckSettings {
  /** The journal's directory. */
  readonly directory: string
  /** The first segment of each stream. */
  readonly streams: readonly { readonly stream: string; readonly first: number }[]
}

/** A closed segment that is missing or damaged. */
export interface SegmentFlaw {
  readonly stream: string
  readonly segment: number
  readonly offset: number
  readonly why: string
}

async function check(
  port: MessagePort,
  { directory, streams }: JournalCheckSettings,
): Promise<void> {
  for (const { stream, first } of streams) {
    const home = { files: nodeFiles, directory, stream }
    const report = (segment: number, offset: number, why: string): void => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
      port.postMessage({ stream, segment, offset, why } satisfies SegmentFlaw)
    }
    const last = await lastOf(home)
    if (last === undefined) {
      report(first, 0, 'the stream is missing')
      continue
    }
    // The last segment is still being written.
    for (let segment = first; segment < last; segment += 1) {
      try {
        for await (const { flaw } of walkStream(home, segment, () => undefined)) {
          if (flaw !== undefined) report(segment, flaw.offset, flaw.why)
          break // check one segment at a time
        }
      } catch {
        report(segment, 0, 'the segment cannot be read')
      }
    }
  }
}

async function lastOf(home: StreamFiles): Promise<number | undefined> {
  try {
    return (await listSegments(home)).numbers.at(-1)
  } catch {
    return undefined
  }
}

// Only `journal-check.ts` starts this thread.
if (parentPort !== null) await check(parentPort, workerData as JournalCheckSettings)
