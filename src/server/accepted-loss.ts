/**
 * An operator's acceptance of changes that the database has lost. A server that refuses to start cannot be
 * asked, so the acceptance is a file in the data directory. It names exactly one state of the database and
 * the journal. The next start uses it and writes an audit record.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../disk/durable.ts'
import type { FilePort } from '../disk/files.ts'
import type { Journal } from '../audit/journal/journal.ts'
import type { MissingChanges } from '../audit/journal/missing-changes.ts'
import { serviceRecord } from '../audit/records/service-record.ts'
import { readWritersList } from '../audit/journal/writers-list.ts'
import { fingerprintOf } from '../crypto/statements.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { Store } from '../store/store.ts'

/** Who accepted the loss, and when. */
export interface Acceptance {
  /** `MissingChanges.id` */
  readonly id: string
  /** ISO 8601 */
  readonly acceptedAt: string
  /** The user of the operating system. */
  readonly acceptedBy: string
}

export type AcceptedLoss = MissingChanges & Acceptance

const fileName = 'accepted-loss.json'
const keysShown = 3

/** The missing changes in one line of text. */
export function toldMissing({ records, first, last, keys, keyCount }: MissingChanges): string {
  const changes = first === last ? `change ${first}` : `changes ${first} to ${last}`
  const shown = keys.slice(0, keysShown).join(', ')
  const more = keyCount > keysShown ? ` and ${keyCount - keysShown} more` : ''
  const named = keyCount === 0 ? 'no key' : `${count(keyCount, 'key')} (${shown}${more})`
  return `${count(records, 'record')} of ${changes}, naming ${named}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

export function writeAcceptedLoss(
  dataDirectory: string,
  acceptance: Acceptance,
  files: FilePort,
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(acceptance)}\n`)
  return replaceFile(files, join(dataDirectory, fileName), bytes)
}

/** The acceptance of exactly this state; undefined if no operator accepted it. */
export async function readAcceptedLoss(
  dataDirectory: string,
  id: string,
): Promise<Acceptance | undefined> {
  const text = await readFile(join(dataDirectory, fileName), 'utf8').catch(() => '')
  try {
    const { id: named, acceptedAt, acceptedBy } = Object(JSON.parse(text)) as Partial<Acceptance>
    if (named !== id || typeof acceptedAt !== 'string' || typeof acceptedBy !== 'string')
      return undefined
    return { id, acceptedAt, acceptedBy }
  } catch {
    return undefined
  }
}

/**
 * Goes on without the missing changes. Their numbers are skipped, so that no later change takes one of them,
 * and an audit record says who accepted the loss. Then the file is deleted. Call it before anything else
 * changes the database.
 */
export async function goOnWithoutLost(
  loss: AcceptedLoss,
  dependencies: {
    readonly store: Store
    readonly keyring: Pick<Keyring, 'statementKeys'>
    readonly journal: Pick<Journal, 'position'>
    readonly files: FilePort
    readonly clock: Clock
    readonly random: Random
    readonly accountId: string
    readonly region: string
    readonly dataDirectory: string
    /** The journal's. */
    readonly directory: string
  },
): Promise<void> {
  const { store, journal, files, clock, random, accountId, region, dataDirectory } = dependencies
  await adoptWriters(dependencies)
  const {
    records: missingRecords,
    first: firstChange,
    last: lastChange,
    stored: storedChange,
    ...told
  } = loss
  const eventId = random.uuid()
  const record = serviceRecord({
    eventId,
    time: clock.now(),
    eventName: 'AcceptDataLoss',
    accountId,
    region,
    details: { ...told, missingRecords, firstChange, lastChange, storedChange },
  })
  await store.change(async (transaction) => {
    await transaction.skipChanges(lastChange)
    await transaction.insertOutbox({ eventId, record, ...journal.position })
  })
  await files.remove(join(dataDirectory, fileName))
}

/** Moves the beginnings of streams forward: an older database lists segments that retention has deleted. */
async function adoptWriters({
  store,
  keyring,
  files,
  directory,
}: Pick<
  Parameters<typeof goOnWithoutLost>[1],
  'store' | 'keyring' | 'files' | 'directory'
>): Promise<void> {
  const trusted = keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey))
  const list = await readWritersList({ files, directory }, trusted)
  if (typeof list === 'string') return // the verifier reports it
  const known = await store.listAuditWriters()
  for (const { stream, first } of list.writers) {
    const stored = known.find((each) => each.stream === stream)?.first.segment ?? 0
    if (first.segment > stored) await store.changeAuditWriter(stream, { first })
  }
}
