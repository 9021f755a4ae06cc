/**
 * The checkpoints of a running server: it tells the journal when, keeps the last one of its stream in the
 * store, and sees at its start whether the journal still reaches as far as the store says.
 * @module
 */
import type { Keyring } from '../../crypto/keyring.ts'
import type { Store } from '../../store/store.ts'
import { readCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import type { OpenJournal } from './journal.ts'
import { tallyStream } from './stream-anchor.ts'

export interface AnchorPorts {
  readonly store: Pick<Store, 'listAuditWriters' | 'changeAuditWriter'>
  readonly journal: OpenJournal
  readonly keyring: Pick<Keyring, 'deploymentId' | 'statementKeys' | 'signStatement'>
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
  /** Writes the signed list of all writers anew. */
  readonly list: () => Promise<void>
  readonly onError: (error: Error) => void
  readonly everyMs?: number
}

export interface Anchors {
  /** The last checkpoint of the stream that is durable. */
  readonly last: SignedCheckpoint
  /** How long records have waited for a checkpoint: milliseconds, 0 when none do. */
  lagMs(): number
  /** Makes one now, where there are records behind the last, and waits until it is in the store. */
  checkpoint(): Promise<void>
  /** To be called before the journal is closed; what the journal says last is kept by `settled`. */
  close(): Promise<void>
  /** Waits until the store has what the journal has said. After the journal is closed. */
  settled(): Promise<void>
}

const everyMsDefault = 10_000

/**
 * Begins the checkpoints of the journal's stream, and puts it on the signed list.
 *
 * INVARIANT (listed streams are anchored): a stream is listed only once it has a checkpoint, so that one
 * without is one whose checkpoints were taken away.
 * @throws when the first checkpoint cannot be made durable
 */
export async function openAnchors(ports: AnchorPorts): Promise<Anchors> {
  const { store, journal, keyring, files, directory, list, onError } = ports
  const { deploymentId } = keyring
  const { stream } = journal.position
  const writers = await store.listAuditWriters()
  const known = writers.find((writer) => writer.stream === stream)
  const home = { files, directory, stream }
  const tally = await tallyStream(home, known?.first)
  const stored = readCheckpoint(known?.checkpoint?.text ?? '')
  const found = readCheckpoint(tally.last?.text ?? '')
  const isCut = stored !== undefined && (found?.sequence ?? 0) < stored.sequence
  if (isCut) {
    const { sequence, records, segment } = stored
    const where = `checkpoint ${sequence}, of ${records} records in segment ${segment}`
    onError(new Error(`the journal was cut: stream ${stream} lacks its ${where}`))
  }
  // After a cut the stream goes on behind what is missing, so that the verifier says so ever after.
  const last = isCut ? known?.checkpoint : tally.last
  let said = last
  let saving = Promise.resolve()
  const save = (checkpoint: SignedCheckpoint): void => {
    said = checkpoint
    // One after the other, so that an older one never takes the place of a newer one.
    saving = saving
      .then(() => store.changeAuditWriter(stream, { checkpoint }))
      .catch((cause: unknown) => {
        onError(new Error('a checkpoint could not be kept in the database', { cause }))
      })
  }
  const key = Math.max(...keyring.statementKeys.map(({ version }) => version))
  const sign = (text: string): Buffer => keyring.signStatement('checkpoint', text)
  await journal.anchor({ deployment: deploymentId, key, sign }, { ...tally, last }, save)
  await saving
  await list()
  const timer = setInterval(() => void journal.checkpoint(), ports.everyMs ?? everyMsDefault)
  timer.unref()
  return {
    get last() {
      // `anchor` has said one.
      return said as SignedCheckpoint
    },
    lagMs: () => journal.lag.unanchoredMs,
    async checkpoint() {
      await journal.checkpoint()
      await saving
    },
    async close() {
      clearInterval(timer)
      await saving
    },
    settled: () => saving,
  }
}
