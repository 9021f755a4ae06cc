/**
 * Counts a stream's records since its genesis and remembers the last checkpoint, so that the next
 * checkpoint can state both.
 * @module
 */
import {
  checkpointId,
  checkpointText,
  readCheckpoint,
  splitPayload,
  type Checkpoint,
  type CheckpointSigner,
  type SignedCheckpoint,
} from './checkpoint.ts'
import { listSegments, walkStream, type StreamFiles } from './walk-stream.ts'

/** The number of records since the genesis, and the last checkpoint among them. */
export interface RecordTally {
  readonly records: number
  /** The number of records behind the last checkpoint. */
  readonly unanchored: number
  readonly last: SignedCheckpoint | undefined
}

/**
 * Counts a stream: searches back to a segment that holds a checkpoint, and counts from there.
 * @param first the beginning of the stream, if earlier segments were deleted
 */
export async function tallyStream(
  home: StreamFiles,
  first: { readonly segment: number; readonly records: number } = { segment: 1, records: 0 },
): Promise<RecordTally> {
  const { numbers } = await listSegments(home)
  for (const from of numbers.filter((number) => number >= first.segment).toReversed()) {
    const found = await tallyFrom(home, from)
    if (found.last !== undefined) return found
  }
  const { unanchored } = await tallyFrom(home, first.segment)
  return { records: first.records + unanchored, unanchored, last: undefined }
}

/** `records` is valid only if there is a checkpoint. */
async function tallyFrom(home: StreamFiles, from: number): Promise<RecordTally> {
  let anchored = 0
  let unanchored = 0
  let last: SignedCheckpoint | undefined
  const walk = walkStream(home, from, (frame) => {
    if (frame.kind === 'record') unanchored += 1
    if (frame.kind !== 'checkpoint') return
    const signed = splitPayload(frame.payload)
    const checkpoint = readCheckpoint(signed.text)
    if (checkpoint === undefined) return
    last = signed
    anchored = checkpoint.records
    unanchored = 0
  })
  // The start and the verifier report damage.
  for await (const segment of walk) void segment
  return { records: anchored + unanchored, unanchored, last }
}

export interface StreamAnchor {
  /** Counts records that became durable. @param time milliseconds since the epoch */
  count(records: number, time: number): void
  /** The number of records behind the last checkpoint. */
  readonly unanchored: number
  /** How long the first of them has waited at `now`, in milliseconds; 0 when there is none. */
  unanchoredMs(now: number): number
  /** The checkpoint for this position. It becomes the last one when `committed` is called. */
  next(at: Pick<Checkpoint, 'segment' | 'offset' | 'head' | 'time'>): SignedCheckpoint
  committed(checkpoint: SignedCheckpoint): void
}

export function createStreamAnchor(
  writer: string,
  signer: CheckpointSigner,
  tally: RecordTally,
): StreamAnchor {
  const { deployment } = signer
  let { records, unanchored, last } = tally
  let since: number | undefined
  return {
    count(added, time) {
      since ??= time
      records += added
      unanchored += added
    },
    get unanchored() {
      return unanchored
    },
    unanchoredMs: (now) => Math.max(0, now - (since ?? now)),
    next({ segment, offset, head, time }) {
      const sequence = (readCheckpoint(last?.text ?? '')?.sequence ?? 0) + 1
      const previous = last === undefined ? null : checkpointId(last.text)
      const place = { deployment, writer, sequence, segment, offset, records, head, previous }
      const text = checkpointText({ ...place, time, key: signer.key })
      return { text, signature: signer.sign(text) }
    },
    committed(checkpoint) {
      last = checkpoint
      unanchored = 0
      since = undefined
    },
  }
}

/**
 * How far a stream is ahead of its last checkpoint, in records and time; zero if it has no checkpoints.
 */
export function unanchoredOf(
  anchor: StreamAnchor | undefined,
  now: number,
): { readonly unanchored: number; readonly unanchoredMs: number } {
  return {
    unanchored: anchor?.unanchored ?? 0,
    unanchoredMs: anchor?.unanchoredMs(now) ?? 0,
  }
}
