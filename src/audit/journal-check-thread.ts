/**
 * The thread that checks the closed segments of a journal once, from first to last. It is a thread of
 * its own because hashing gigabytes must not delay calls. `journal-check.ts` starts it.
 * @module
 */
import { nodeFiles } from '../disk/files.ts'
import type { Link } from '../threads/link.ts'
import { serveThread } from '../threads/thread.ts'
import type { ClosedSegments, FlawQuestions, JournalCheckQuestions } from './journal-check.ts'
import { walkStream } from './journal/walk-stream.ts'

async function check(
  checker: Link<FlawQuestions>,
  { directory, stream, first, end }: ClosedSegments,
): Promise<void> {
  const home = { files: nodeFiles, directory, stream }
  for (let segment = first; segment < end; segment += 1) {
    const report = (offset: number, why: string): Promise<void> =>
      checker.ask('report', { stream, segment, offset, why })
    try {
      for await (const { flaw } of walkStream(home, segment, () => undefined)) {
        if (flaw !== undefined) await report(flaw.offset, flaw.why)
        break // check one segment at a time
      }
    } catch {
      await report(0, 'the segment cannot be read')
    }
  }
}

serveThread<undefined, JournalCheckQuestions, FlawQuestions>((_, checker) => ({
  check: (segments) => check(checker, segments),
}))
