/**
 * Proves a journal from the genesis of each listed writer to its last checkpoint. The hash chain shows
 * that nothing was changed piecemeal. The checkpoints show that an attacker who can write the files has
 * not rewritten the whole chain. Records behind the last checkpoint are unanchored.
 * @module
 */
import type { AuditWriter } from '../../model/audit-writer.ts'
import { statementHolds } from '../../crypto/statements.ts'
import {
  checkpointId,
  readCheckpoint,
  splitPayload,
  type Checkpoint,
} from '../journal/checkpoint.ts'
import { nodeFiles, type FilePort } from '../../disk/files.ts'
import type { Frame } from '../journal/frame.ts'
import {
  verifyJournal,
  type JournalBreak,
  type JournalReport,
  type VerifyOptions,
} from './verify.ts'
import { readWritersList, writersFile, type WritersList } from '../journal/writers-list.ts'

/** A checkpoint known from another source: the journal must hold it. */
export interface KnownCheckpoint {
  readonly text: string
  readonly signature: Uint8Array
  /** The source, for the report. */
  readonly from: string
}

export interface AnchoredStream {
  readonly stream: string
  /** Records up to the last checkpoint, since the stream's genesis. */
  readonly proved: number
  readonly unanchored: number
  readonly checkpoint: Checkpoint | undefined
}

export interface ProofReport extends JournalReport {
  /** Fingerprints of the signing keys, and whether one of them was pinned. */
  readonly keys: readonly string[]
  readonly pinned: boolean
  readonly proved: number
  readonly unanchored: number
  readonly anchors: readonly AnchoredStream[]
}

export interface ProofOptions extends Pick<VerifyOptions, 'files' | 'eventIdsMax'> {
  /** Fingerprints of trusted keys; if empty, the keys of the journal's own list. */
  readonly pinned?: readonly string[]
  readonly known?: readonly KnownCheckpoint[]
  /** Called with each frame that counts. */
  readonly onFrame?: VerifyOptions['onFrame']
}

/** @throws when a directory or file cannot be read */
export async function proveJournal(
  directory: string,
  options: ProofOptions = {},
): Promise<ProofReport> {
  const { files = nodeFiles, pinned = [], known = [] } = options
  const list = await readWritersList({ files, directory }, pinned)
  const streams = await streamsOf(files, directory)
  const listed: WritersList =
    typeof list === 'string'
      ? { deployment: '', keys: [], writers: [], digestKeys: new Map() }
      : list
  const found: JournalBreak[] = []
  if (typeof list === 'string') found.push({ file: writersFile, offset: 0, why: list })
  const anchors = new Map(
    listed.writers.map(({ stream, first }) => [stream, createAnchorCheck(stream, first, listed)]),
  )
  for (const checkpoint of known) {
    const why = expectKnown(checkpoint, listed, anchors)
    if (why !== undefined) found.push({ file: checkpoint.from, offset: 0, why })
  }
  const { onFrame } = options
  const report = await verifyJournal(directory, {
    ...options,
    firstOf: (stream) => listed.writers.find((writer) => writer.stream === stream)?.first,
    onFrame: (stream, frame, at) =>
      anchors.get(stream)?.see(frame, at) ?? onFrame?.(stream, frame, at),
  })
  for (const stream of streams) {
    if (anchors.has(stream)) continue
    found.push({ file: stream, offset: 0, why: 'the list of writers does not name the stream' })
  }
  for (const [stream, anchor] of anchors) {
    if ((report.streams.find((each) => each.stream === stream)?.segments ?? 0) === 0) {
      found.push({ file: stream, offset: 0, why: 'the stream is missing' })
    }
    found.push(...anchor.end().map((why) => ({ file: stream, offset: 0, why })))
  }
  return withAnchors(report, { found, listed, anchors, pinned: pinned.length > 0 })
}

function withAnchors(
  report: JournalReport,
  of: {
    readonly found: readonly JournalBreak[]
    readonly listed: WritersList
    readonly anchors: ReadonlyMap<string, AnchorCheck>
    readonly pinned: boolean
  },
): ProofReport {
  const anchors = [...of.anchors.values()].map((anchor) => anchor.report())
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)
  const breakCount = report.breakCount + of.found.length
  return {
    ...report,
    whole: breakCount === 0,
    breaks: [...of.found, ...report.breaks].slice(0, 100),
    breakCount,
    keys: of.listed.keys.map(({ fingerprint }) => fingerprint),
    pinned: of.pinned,
    proved: sum(anchors.map(({ proved }) => proved)),
    unanchored: sum(anchors.map(({ unanchored }) => unanchored)),
    anchors,
  }
}

async function streamsOf(files: FilePort, directory: string): Promise<readonly string[]> {
  const entries = await files.list(directory)
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name)
}

/** @returns why a checkpoint from another source cannot be searched for, or undefined */
function expectKnown(
  { text, signature }: KnownCheckpoint,
  list: WritersList,
  anchors: ReadonlyMap<string, AnchorCheck>,
): string | undefined {
  const checkpoint = readCheckpoint(text)
  const why = checkpoint && signatureFlaw(checkpoint, text, signature, list)
  if (checkpoint === undefined) return 'this is not a checkpoint'
  if (why !== undefined) return why
  const anchor = anchors.get(checkpoint.writer)
  if (anchor === undefined) return `the list of writers does not name ${checkpoint.writer}`
  anchor.expect(checkpoint, text)
  return undefined
}

function signatureFlaw(
  { deployment, key: version }: Checkpoint,
  text: string,
  signature: Uint8Array,
  list: WritersList,
): string | undefined {
  if (deployment !== list.deployment) return 'the checkpoint is of another deployment'
  const key = list.keys.find((each) => each.version === version)
  const holds = key && statementHolds(key.publicKey, 'checkpoint', text, signature)
  return holds === true ? undefined : "the checkpoint's signature does not hold"
}

interface AnchorCheck {
  /** @returns what is wrong with a frame as a checkpoint, or undefined */
  see(frame: Frame, at: { readonly segment: number; readonly offset: number }): string | undefined
  /** Requires that the stream holds this checkpoint, which is genuine. */
  expect(checkpoint: Checkpoint, text: string): void
  /** What is wrong with the stream as a whole. */
  end(): readonly string[]
  report(): AnchoredStream
}

function createAnchorCheck(
  stream: string,
  first: AuditWriter['first'],
  list: WritersList,
): AnchorCheck {
  let records = first.records
  let last: { readonly checkpoint: Checkpoint; readonly id: string } | undefined
  let afterCheckpoint = 0
  /** The segment of the last record behind the last checkpoint. */
  let unanchoredSegment = 0
  /** The required checkpoints that were not found yet, by id. */
  const expected = new Map<string, Checkpoint>()
  const checkpointFlaw = (
    frame: Frame,
    { segment, offset }: { readonly segment: number; readonly offset: number },
  ): string | undefined => {
    const { text, signature } = splitPayload(frame.payload)
    const checkpoint = readCheckpoint(text)
    if (checkpoint === undefined) return 'the checkpoint is not well formed'
    const why = signatureFlaw(checkpoint, text, signature, list)
    if (why !== undefined) return why
    const id = checkpointId(text)
    const before = last
    last = { checkpoint, id }
    afterCheckpoint = 0
    expected.delete(id)
    const here =
      checkpoint.writer === stream && checkpoint.segment === segment && checkpoint.offset === offset
    if (!here || checkpoint.head !== frame.previous.toString('hex')) {
      return 'the checkpoint belongs to another position'
    }
    if (checkpoint.records !== records) {
      return `the checkpoint counts ${checkpoint.records} records, and there are ${records}`
    }
    // Checkpoints before the stream's beginning were deleted; the signed list states the beginning.
    const follows =
      before === undefined
        ? first.hash !== null || checkpoint.previous === null
        : checkpoint.previous === before.id &&
          checkpoint.sequence === before.checkpoint.sequence + 1
    return follows ? undefined : 'the checkpoint does not follow the one before it'
  }
  return {
    see(frame, at) {
      if (frame.kind === 'record') {
        records += 1
        afterCheckpoint += 1
        unanchoredSegment = at.segment
      }
      // Segments of version 1 have no checkpoints. A segment without records needs none: a refused
      // start leaves such a segment behind the records of a process that died.
      const hasUnanchored = afterCheckpoint > 0 && unanchoredSegment === at.segment
      if (frame.kind === 'close' && hasUnanchored && last !== undefined) {
        return 'the segment was closed without a checkpoint'
      }
      return frame.kind === 'checkpoint' ? checkpointFlaw(frame, at) : undefined
    },
    expect(checkpoint, text) {
      if (checkpoint.segment >= first.segment) expected.set(checkpointId(text), checkpoint)
    },
    end: () => [
      ...(last === undefined ? ['the stream has no checkpoint'] : []),
      ...[...expected.values()].map(
        (each) => `the stream lacks checkpoint ${each.sequence}, of ${each.records} records`,
      ),
    ],
    report: () => ({
      stream,
      proved: last?.checkpoint.records ?? 0,
      unanchored: afterCheckpoint,
      checkpoint: last?.checkpoint,
    }),
  }
}
