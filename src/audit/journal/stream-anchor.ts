/**
 * What a stream has come to, so that its next checkpoint can say so: how many records it holds since its
 * genesis, and the checkpoint before.
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

/** Records since the genesis, and the last checkpoint among them. */
export interface Tally {
  readonly records: number
  /** Records behind the last checkpoint. */
  readonly unanchored: number
  readonly last: SignedCheckpoint | undefined
}

/**
 * Counts a stream: back to the segment that holds a checkpoint, and from there on.
 * @param first where the stream begins, where earlier segments have been deleted
 */
export async function tallyStream(
  home: StreamFiles,
  first: { readonly segment: number; readonly records: number } = { segment: 1, records: 0 },
): Promise<Tally> {
  const { numbers } = await listSegments(home)
  for (const from of numbers.filter((number) => number >= first.segment).toReversed()) {
    const found = await tallyFrom(home, from)
    if (found.last !== undefined) return found
  }
  const { unanchored } = await tallyFrom(home, first.segment)
  return { records: first.records + unanchored, unanchored, last: undefined }
}

/** `records` holds when there is a checkpoint only. */
async function tallyFrom(home: StreamFiles, from: number): Promise<Tally> {
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
  // What is damaged is reported by the start and by the verifier.
  for await (const segment of walk) void segment
  return { records: anchored + unanchored, unanchored, last }
}

export interface StreamAnchor {
  /** Records were made durable. @param time milliseconds since the epoch */
  count(records: number, time: number): void
  /** Records behind the last checkpoint. */
  readonly unanchored: number
  /** How long the first of them has been there at `now`: milliseconds, 0 when there is none. */
  unanchoredMs(now: number): number
  /** The checkpoint that would lie at this place. It holds once `committed` is called. */
  next(at: Pick<Checkpoint, 'segment' | 'offset' | 'head' | 'time'>): SignedCheckpoint
  committed(checkpoint: SignedCheckpoint): void
}

export function createStreamAnchor(
  writer: string,
  signer: CheckpointSigner,
  tally: Tally,
): StreamAnchor {
  const { deployment, key, sign } = signer
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
      const text = checkpointText({ ...place, time, key })
      return { text, signature: sign(text) }
    },
    committed(checkpoint) {
      last = checkpoint
      unanchored = 0
      since = undefined
    },
  }
}

/** How much, and for how long, a stream is ahead of its last checkpoint; nothing where it has none. */
export function unanchoredOf(
  anchor: StreamAnchor | undefined,
  now: number,
): { readonly unanchored: number; readonly unanchoredMs: number } {
  return {
    unanchored: anchor?.unanchored ?? 0,
    unanchoredMs: anchor?.unanchoredMs(now) ?? 0,
  }
}
