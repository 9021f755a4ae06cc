/**
 * Checkpoints: signed statements of how far a stream has come. docs/audit-journal.md specifies their
 * form, which may never change for version 1.
 * @module
 */
import { hash } from 'node:crypto'

/** The content of a checkpoint. */
export interface Checkpoint {
  readonly deployment: string
  /** The stream. */
  readonly writer: string
  /** Counts the stream's checkpoints from 1. */
  readonly sequence: number
  /** The segment that holds it, and its offset there. */
  readonly segment: number
  readonly offset: number
  /** The number of records in the stream before it, since its genesis. */
  readonly records: number
  /** The hash of the frame before it, in lower-case hex. */
  readonly head: string
  /** The SHA-256 of the text of the previous checkpoint, in lower-case hex; null for the first. */
  readonly previous: string | null
  /** Milliseconds since the epoch, on the system's clock. */
  readonly time: number
  /** The version of the key that signs it. */
  readonly key: number
}

export interface SignedCheckpoint {
  /** The checkpoint as it was signed: one line of JSON. */
  readonly text: string
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** Signs the text of a checkpoint with the newest key of the deployment. */
export interface CheckpointSigner {
  readonly deployment: string
  /** The version of the newest key. It changes when the root key is rotated. */
  readonly key: number
  readonly sign: (text: string) => Uint8Array
}

const signatureBytes = 64
/** The longest payload of a checkpoint: a signature, and names and numbers of bounded length. */
export const checkpointPayloadMax = 1024

/** The canonical text of a checkpoint. */
export function checkpointText(checkpoint: Checkpoint): string {
  const { deployment, writer, sequence, segment, offset, records } = checkpoint
  const { head, previous, time, key } = checkpoint
  const members = {
    deployment,
    writer,
    sequence,
    segment,
    offset,
    records,
    head,
    previous,
    time,
    key,
  }
  return JSON.stringify({ checkpoint: 1, ...members })
}

/** The SHA-256 by which the next checkpoint refers to this one. */
export function checkpointId(text: string): string {
  return hash('sha256', text, 'hex')
}

/** `signature (64) ‖ text` */
export function checkpointPayload({ text, signature }: SignedCheckpoint): Buffer {
  return Buffer.concat([signature, Buffer.from(text)])
}

export function splitPayload(payload: Buffer): SignedCheckpoint {
  return {
    text: payload.toString('utf8', signatureBytes),
    signature: Buffer.from(payload.subarray(0, signatureBytes)),
  }
}

/**
 * Parses a checkpoint's text; returns undefined unless it is byte for byte what a writer would write.
 */
export function readCheckpoint(text: string): Checkpoint | undefined {
  if (text.length > checkpointPayloadMax) return undefined
  let parsed: Record<string, unknown>
  try {
    parsed = Object(JSON.parse(text)) as Record<string, unknown> // checked member by member
  } catch {
    return undefined
  }
  const { deployment, writer, sequence, segment, offset, records } = parsed
  const { head, previous, time, key } = parsed
  const numbers = [sequence, segment, offset, records, time, key]
  const texts = [deployment, writer, head]
  if (!numbers.every(Number.isSafeInteger) || !texts.every((each) => typeof each === 'string')) {
    return undefined
  }
  if (previous !== null && typeof previous !== 'string') return undefined
  const checkpoint = {
    deployment,
    writer,
    sequence,
    segment,
    offset,
    records,
    head,
    previous,
    time,
    key,
  }
  const read = checkpoint as unknown as Checkpoint // its members' types were checked
  return checkpointText(read) === text ? read : undefined
}
