/**
 * The checkpoints of a running server: it tells the journal when, keeps the last one of its stream in the
 * store, and sees at its start whether the journal still reaches as far as the store says.
 * @module
 */
import type { Keyring } from '../crypto/keyring.ts'
import { genesis, type AuditWriter } from '../model/audit-writer.ts'
import type { Store } from '../store/store.ts'
import { readCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import type { FilePort } from './files.ts'
import type { OpenJournal } from './journal.ts'
import { tallyStream } from './stream-anchor.ts'
import { writeWritersList } from './writers-list.ts'

export interface AnchorPorts {
  readonly store: Pick<Store, 'listAuditWriters' | 'saveAuditWriter' | 'listDigestKeys'>
  readonly journal: OpenJournal
  readonly keyring: Pick<Keyring, 'deploymentId' | 'statementKeys' | 'signStatement'>
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
  readonly onError: (error: Error) => void
  readonly everyMs?: number
}

export interface Anchors {
  /** The last checkpoint of this process's stream that is in the store. */
  readonly last: SignedCheckpoint
  /** How long records have waited for a checkpoint: milliseconds, 0 when none do. */
  lagMs(): number
  /** Makes one now, where there are records behind the last, and waits until it is in the store. */
  checkpoint(): Promise<void>
  /** Says that a stream begins later: what is before may be deleted once this has answered. */
  moveStart(stream: string, first: AuditWriter['first']): Promise<void>
  /** Writes the signed list anew: a key has come to it. */
  list(): Promise<void>
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
  const { store, journal, keyring, files, directory, onError } = ports
  const { deploymentId } = keyring
  const { stream } = journal.position
  const writers = await store.listAuditWriters()
  const known = writers.find((writer) => writer.stream === stream)
  const home = { files, directory, stream }
  const tally = await tallyStream(home, known?.first)
  const kept = readCheckpoint(known?.checkpoint?.text ?? '')
  const found = readCheckpoint(tally.last?.text ?? '')
  const isCut = kept !== undefined && (found?.sequence ?? 0) < kept.sequence
  if (isCut) {
    const where = `checkpoint ${kept.sequence}, of ${kept.records} records in segment ${kept.segment}`
    onError(new Error(`the journal was cut: stream ${stream} lacks its ${where}`))
  }
  // After a cut the stream goes on behind what is missing, so that the verifier says so ever after.
  const last = isCut ? known?.checkpoint : tally.last
  let writer: AuditWriter = { stream, first: known?.first ?? genesis, ...known }
  let saving = Promise.resolve()
  const save = (checkpoint: SignedCheckpoint): void => {
    writer = { ...writer, checkpoint }
    const saved = writer
    // One after the other, so that an older one never takes the place of a newer one.
    saving = saving
      .then(() => store.saveAuditWriter(saved))
      .catch((cause: unknown) => {
        onError(new Error('a checkpoint could not be kept in the database', { cause }))
      })
  }
  const key = Math.max(...keyring.statementKeys.map(({ version }) => version))
  const sign = (text: string): Buffer => keyring.signStatement('checkpoint', text)
  await journal.anchor({ deployment: deploymentId, key, sign }, { ...tally, last }, save)
  await saving
  const list = async (): Promise<void> => {
    const listed = {
      writers: await store.listAuditWriters(),
      digestKeys: await store.listDigestKeys(),
    }
    await writeWritersList({ files, directory }, keyring, listed)
  }
  await list()
  const timer = setInterval(() => void journal.checkpoint(), ports.everyMs ?? everyMsDefault)
  timer.unref()
  return {
    get last() {
      // `anchor` has said one.
      return writer.checkpoint as SignedCheckpoint
    },
    lagMs: () => journal.lag.unanchoredMs,
    async checkpoint() {
      await journal.checkpoint()
      await saving
    },
    async moveStart(of, first) {
      if (of === stream) writer = { ...writer, first }
      const all = await store.listAuditWriters()
      const moved = of === stream ? writer : all.find((each) => each.stream === of)
      if (moved === undefined) return
      // In turn with the checkpoints, which are kept in the same row.
      const saved = saving.then(() => store.saveAuditWriter({ ...moved, first }))
      saving = saved.catch(() => undefined) // whoever moves the start hears of it
      await saved
      await list()
    },
    list,
    async close() {
      clearInterval(timer)
      await saving
    },
    settled: () => saving,
  }
}
