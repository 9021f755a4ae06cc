/**
 * Ends the streams that no longer have a writer: streams of a process that died, and of former workers.
 * A start ends them as a clean stop would have, before it searches them for records: it repairs their
 * torn tails, anchors what they hold, and lists them on the signed list.
 *
 * INVARIANT (nothing foreign is signed): if a stream holds records but the store does not know it, no
 * writer of this deployment wrote it; somebody put it there. It is left unchanged, and the verifier
 * reports it.
 * @module
 */
import type { Clock } from '../../model/clock.ts'
import { openAnchors, type AnchorDependencies } from './anchors.ts'
import { isStreamName } from './frame.ts'
import { JournalFailed } from './journal.ts'
import { openJournal } from './open-journal.ts'
import { isStreamEnded } from './segment-writer.ts'
import { tallyStream } from './stream-anchor.ts'

/** Space for the frames that end a stream: an opening, a checkpoint and a close. */
const segmentBytes = 64 * 1024

export interface LeftStreamsDependencies extends Omit<AnchorDependencies, 'journal'> {
  readonly clock: Pick<Clock, 'system'>
  /** The streams that this process writes: the first one is open already, the others are not. */
  readonly own: readonly [string, ...string[]]
  readonly onFatal: (error: Error) => void
}

/** @throws {JournalFailed} when one of this process's own streams is foreign */
export async function endLeftStreams(dependencies: LeftStreamsDependencies): Promise<void> {
  const { files, directory, own, store, onError } = dependencies
  const known = new Set((await store.listAuditWriters()).map(({ stream }) => stream))
  for (const { name: stream, isDirectory } of await files.list(directory)) {
    if (!isDirectory || !isStreamName(stream) || stream === own[0]) continue
    const home = { files, directory, stream }
    if (known.has(stream)) {
      if (!(await isStreamEnded(home))) await endStream(dependencies, stream)
    } else if ((await tallyStream(home)).records === 0) await endStream(dependencies, stream)
    else {
      const foreign = `the journal's stream ${stream} holds records, and is on no list of writers`
      if (own.includes(stream)) throw new JournalFailed(`${foreign}: move it away`)
      onError(new Error(foreign))
    }
  }
}

async function endStream(dependencies: LeftStreamsDependencies, stream: string): Promise<void> {
  const journal = await openJournal({ ...dependencies, stream, segmentBytes })
  const anchors = await openAnchors({ ...dependencies, journal })
  await anchors.close()
  await journal.close()
  await anchors.settled()
}
