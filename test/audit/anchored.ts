/** A journal with checkpoints, over files in memory or on disk, and a store of its writers in memory. */
import type { Anchors } from '../../src/audit/journal/anchors.ts'
import { openAnchors } from '../../src/audit/journal/anchors.ts'
import type { FilePort } from '../../src/disk/files.ts'
import type { JournalOptions, OpenJournal } from '../../src/audit/journal/journal.ts'
import { openJournal } from '../../src/audit/journal/open-journal.ts'
import { createListing } from '../../src/audit/journal/writers-list.ts'
import type { KnownCheckpoint } from '../../src/audit/verify/prove-journal.ts'
import type { Keyring } from '../../src/crypto/keyring.ts'
import { genesis, type AuditWriter } from '../../src/model/audit-writer.ts'

export interface WriterStore {
  readonly rows: Map<string, AuditWriter>
  readonly listAuditWriters: () => Promise<readonly AuditWriter[]>
  readonly changeAuditWriter: (stream: string, changes: Partial<AuditWriter>) => Promise<void>
  readonly listDigestKeys: () => Promise<readonly []>
  readonly listRetiredKeys: () => Promise<readonly []>
  /** The checkpoints that the store knows: the journal must hold them. */
  readonly known: () => readonly KnownCheckpoint[]
}

export function writerStore(): WriterStore {
  const rows = new Map<string, AuditWriter>()
  return {
    rows,
    listAuditWriters: async () => [...rows.values()],
    listDigestKeys: async () => [],
    listRetiredKeys: async () => [],
    changeAuditWriter: async (stream, changes) =>
      void rows.set(stream, { first: genesis, ...rows.get(stream), ...changes, stream }),
    known: () =>
      [...rows.values()].flatMap(({ checkpoint }) =>
        checkpoint === undefined ? [] : [{ ...checkpoint, from: 'store' }],
      ),
  }
}

export interface Anchored {
  readonly journal: OpenJournal
  readonly anchors: Anchors
  readonly errors: Error[]
  /** A clean stop. */
  readonly stop: () => Promise<void>
}

export async function openAnchored(of: {
  readonly files: FilePort
  readonly directory: string
  readonly store: WriterStore
  readonly keyring: Keyring
  readonly stream?: string
  readonly options?: Partial<JournalOptions>
}): Promise<Anchored> {
  const { files, directory, store, keyring, stream = 'worker-0', options } = of
  const errors: Error[] = []
  const onError = (error: Error): void => void errors.push(error)
  const journal = await openJournal({
    directory,
    stream,
    files,
    clock: { system: () => 1_800_000_000_000 },
    segmentBytes: 16384,
    reopenDelayMs: 1,
    onError,
    onFatal: onError,
    ...options,
  })
  const list = createListing({ store, keyring, files, directory })
  const anchors = await openAnchors({ store, journal, keyring, files, directory, list, onError })
  return {
    journal,
    anchors,
    errors,
    stop: async () => {
      await anchors.close()
      await journal.close()
      await anchors.settled()
    },
  }
}
