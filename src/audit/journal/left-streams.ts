/**
 * Streams whose writers are gone: those of a process that died, and of workers that there are no more. A
 * start ends them as a clean stop would have, before it looks for records in them: their torn tails are
 * repaired, what they hold is anchored, and they are on the signed list.
 *
 * INVARIANT (nothing foreign is signed): a stream that holds records and that the store does not know is no
 * writer's of this deployment: it was put there. It is left as it is, and the verifier tells of it.
 * @module
 */
import type { Clock } from '../../model/clock.ts'
import { openAnchors, type AnchorPorts } from './anchors.ts'
import { isStreamName } from './frame.ts'
import { JournalFailed } from './journal.ts'
import { openJournal } from './open-journal.ts'
import { isStreamEnded } from './segment-writer.ts'
import { tallyStream } from './stream-anchor.ts'

/** Room for what ends a stream: an opening, a checkpoint and a close. */
const segmentBytes = 64 * 1024

export interface LeftStreamsPorts extends Omit<AnchorPorts, 'journal'> {
  readonly clock: Pick<Clock, 'system'>
  /** Those that this process writes: the first of them is open, and the others are not yet. */
  readonly own: readonly [string, ...string[]]
  readonly onFatal: (error: Error) => void
}

/** @throws {JournalFailed} when a stream of its own is a foreign one */
export async function endLeftStreams(ports: LeftStreamsPorts): Promise<void> {
  const { files, directory, own, store, onError } = ports
  const known = new Set((await store.listAuditWriters()).map(({ stream }) => stream))
  for (const { name: stream, isDirectory } of await files.list(directory)) {
    if (!isDirectory || !isStreamName(stream) || stream === own[0]) continue
    const home = { files, directory, stream }
    if (known.has(stream)) {
      if (!(await isStreamEnded(home))) await endStream(ports, stream)
    } else if ((await tallyStream(home)).records === 0) await endStream(ports, stream)
    else {
      const foreign = `the journal's stream ${stream} holds records, and is on no list of writers`
      if (own.includes(stream)) throw new JournalFailed(`${foreign}: move it away`)
      onError(new Error(foreign))
    }
  }
}

async function endStream(ports: LeftStreamsPorts, stream: string): Promise<void> {
  const journal = await openJournal({ ...ports, stream, segmentBytes })
  const anchors = await openAnchors({ ...ports, journal })
  await anchors.close()
  await journal.close()
  await anchors.settled()
}
