/**
 * Schedules the checkpoints of a running server. It tells the journal when to make one, stores the last
 * checkpoint of the stream, and checks at the start that the journal still reaches as far as the stored
 * one.
 * @module
 */
import type { Keyring } from '../../crypto/keyring.ts'
import type { Store } from '../../store/store.ts'
import { readCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import type { OpenJournal } from './journal.ts'
import { tallyStream } from './stream-anchor.ts'

export interface AnchorDependencies {
  readonly store: Pick<Store, 'listAuditWriters' | 'changeAuditWriter'>
  readonly journal: OpenJournal
  readonly keyring: Pick<Keyring, 'deploymentId' | 'newestVersion' | 'signStatement'>
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
  /** Rewrites the signed list of all writers. */
  readonly list: () => Promise<void>
  readonly onError: (error: Error) => void
  readonly everyMs?: number
}

export interface Anchors {
  /** The last durable checkpoint of the stream. */
  readonly last: SignedCheckpoint
  /** How long records have waited for a checkpoint, in milliseconds; 0 when none wait. */
  lagMs(): number
  /**
   * Makes a checkpoint if there are records behind the last one, and waits until it is in the store.
   */
  checkpoint(): Promise<void>
  /** Call it before the journal is closed; `settled` then stores the journal's last checkpoint. */
  close(): Promise<void>
  /**
   * Waits until the store has every checkpoint that the journal has made. Call it after the journal is
   * closed.
   */
  settled(): Promise<void>
}

const everyMsDefault = 10_000

/**
 * Starts the checkpoints of the journal's stream, and puts the stream on the signed list.
 *
 * INVARIANT (listed streams are anchored): a stream is listed only once it has a checkpoint. So if a
 * listed stream has none, its checkpoints were removed.
 * @throws when the first checkpoint cannot be made durable
 */
export async function openAnchors(dependencies: AnchorDependencies): Promise<Anchors> {
  const { store, journal, keyring, files, directory, list, onError } = dependencies
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
  // After a cut, the stream continues from the missing checkpoint, so the verifier reports the cut for
  // ever.
  const last = isCut ? known?.checkpoint : tally.last
  let said = last
  let saving = Promise.resolve()
  const save = (checkpoint: SignedCheckpoint): void => {
    said = checkpoint
    // One save at a time, so that an older checkpoint never replaces a newer one.
    saving = saving
      .then(() => store.changeAuditWriter(stream, { checkpoint }))
      .catch((cause: unknown) => {
        onError(new Error('a checkpoint could not be stored in the database', { cause }))
      })
  }
  const signer = {
    deployment: deploymentId,
    get key() {
      return keyring.newestVersion
    },
    sign: (text: string): Buffer => keyring.signStatement('checkpoint', text),
  }
  await journal.anchor(signer, { ...tally, last }, save)
  await saving
  await list()
  const timer = setInterval(() => void journal.checkpoint(), dependencies.everyMs ?? everyMsDefault)
  timer.unref()
  return {
    get last() {
      // `anchor` has reported at least one checkpoint.
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
