/**
 * Goes on without changes that the database has lost, after an operator's word. What they took away is taken
 * away again. It happens offline, while other nodes may run, because a node with lost changes serves nothing.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { FilePort } from '../disk/files.ts'
import type { MissingChanges } from '../audit/journal/missing-changes.ts'
import { readCheckpoint } from '../audit/journal/checkpoint.ts'
import { serviceRecord } from '../audit/records/service-record.ts'
import { readWritersList } from '../audit/journal/writers-list.ts'
import type { LoggedChange } from '../backup/logged-changes.ts'
import { takeAway } from '../backup/take-away.ts'
import type { Outcome } from '../backup/take-away-identities.ts'
import { fingerprintOf } from '../crypto/statements.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { RecordedChange } from '../model/change-number.ts'
import type { Store, Transaction } from '../store/store.ts'

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

export interface Loss {
  /** In the order of their numbers. Those without a record are known by number and id only. */
  readonly changes: readonly RecordedChange[]
  /** What to take away again. */
  readonly apply: readonly LoggedChange[]
  /** For the record. */
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * Takes away again what lost changes took away, in one transaction with the record of that. Their numbers are
 * skipped, so that no later change takes one of them.
 */
export async function acceptLoss(
  { changes, apply, details }: Loss,
  of: {
    readonly store: Store
    /** Milliseconds since the epoch. */
    readonly now: number
    readonly accountId: string
    readonly region: string
    /** The stream that the record goes to, at the next start of its node. */
    readonly stream: string
  },
): Promise<void> {
  const { store, now, accountId, region, stream } = of
  const eventId = randomUUID()
  const told = { eventId, time: now, eventName: 'AcceptDataLoss', accountId, region, details }
  const record = serviceRecord(told)
  const writers = await store.listAllAuditWriters()
  const text = writers.find((each) => each.stream === stream)?.checkpoint?.text
  // No segment before the one of the checkpoint can hold the record.
  const { segment = 1 } = readCheckpoint(text ?? '') ?? {}
  const accepted = changes.map((change) => ({ ...change, acceptedAt: now }))
  await store.change(async (transaction) => {
    await transaction.skipChanges(changes.reduce((most, { seq }) => Math.max(most, seq), 0))
    await takeAllAway(transaction, apply, now)
    await transaction.acceptLost(accepted)
    await transaction.insertOutbox({ eventId, record, stream, segment })
  })
  await store.scrub()
}

/** Thrown to roll the transaction back. */
class RolledBack extends Error {}

/** The outcomes of taking the changes away again, by their ids. Nothing is changed. */
export async function rehearse(
  store: Pick<Store, 'change'>,
  apply: readonly LoggedChange[],
  now: number,
): Promise<ReadonlyMap<string, Outcome>> {
  let outcomes: ReadonlyMap<string, Outcome> = new Map()
  const work = async (transaction: Transaction): Promise<never> => {
    outcomes = await takeAllAway(transaction, apply, now)
    throw new RolledBack()
  }
  await store.change(work).catch((error: unknown) => {
    if (!(error instanceof RolledBack)) throw error
  })
  return outcomes
}

async function takeAllAway(
  transaction: Transaction,
  changes: readonly LoggedChange[],
  now: number,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  for (const change of changes) {
    const outcome = (await takeAway[change.name]?.(transaction, change, now)) ?? 'left'
    // A change may have two parts.
    if (outcomes.get(change.id) !== 'taken') outcomes.set(change.id, outcome)
  }
  return outcomes
}

/** Moves the beginnings of streams forward: an older database lists segments that retention has deleted. */
export async function adoptWriters({
  store,
  keyring,
  files,
  directory,
}: {
  readonly store: Pick<Store, 'listAllAuditWriters' | 'changeAuditWriter'>
  readonly keyring: Pick<Keyring, 'statementKeys'>
  readonly files: FilePort
  /** The journal's. */
  readonly directory: string
}): Promise<void> {
  const trusted = keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey))
  const list = await readWritersList({ files, directory }, trusted)
  if (typeof list === 'string') return // the verifier reports it
  const known = await store.listAllAuditWriters()
  for (const { stream, first } of list.writers) {
    const stored = known.find((each) => each.stream === stream)?.first.segment ?? 0
    if (first.segment > stored) await store.changeAuditWriter(stream, { first })
  }
}
