/**
 * Restores a backup into an empty database. The row of the deployment is written last, so a restore that
 * did not finish is recognized: a start refuses it.
 * @module
 */
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock, Random } from '../model/clock.ts'
import { createBoundRows } from '../store/bound-rows.ts'
import { createStore } from '../store/bound-store.ts'
import type { Database } from '../store/database.ts'
import { everyTable } from '../store/schema/schema.ts'
import type { Store } from '../store/store.ts'
import {
  continueCounters,
  insertRows,
  isEmptyTable,
  type StoredRow,
} from '../store/whole-tables.ts'
import { serviceRecord } from '../audit/records/service-record.ts'
import { BackupRefused, type BackupReader } from './format.ts'
import type { LoggedChange } from './logged-changes.ts'
import { beginStreamsAnew, deliverAgain } from './restore-streams.ts'
import { takeAway } from './take-away.ts'
import { rowsOf } from './verify.ts'

export interface Restoring {
  readonly database: Database
  readonly keyring: Keyring
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly accountId: string
  readonly region: string
  /** The streams of the journal that this machine has files of; absent if other nodes may have some. */
  readonly streams?: readonly string[]
}

export interface AfterBackup {
  /** What to take away again. */
  readonly apply: readonly LoggedChange[]
  /** The last number of a change that may have been used. */
  readonly last: number
  /** Called with the number of rows that are restored. */
  readonly onRows?: (rows: number) => void
  /** For the record. */
  readonly details: (applied: Applied) => Readonly<Record<string, unknown>>
}

export interface Applied {
  /** Changes that took something away which the backup had. */
  readonly taken: readonly LoggedChange[]
  /** Changes that cannot be repeated, because of what the backup has. */
  readonly left: readonly LoggedChange[]
}

/** @throws {BackupRefused} without any change unless the database has no rows */
export async function restoreBackup(
  reader: BackupReader,
  { apply, last, onRows, details }: AfterBackup,
  restoring: Restoring,
): Promise<Applied & { readonly rows: number }> {
  const { database, keyring, clock, random, accountId, region, streams } = restoring
  await requireEmpty(database)
  const deployment = everyTable[0]
  let kept: readonly StoredRow[] = []
  let rows = 0
  for await (const found of rowsOf(reader, keyring)) {
    rows += found.rows.length
    if (found.table.name === deployment.name) {
      kept = found.rows
      continue
    }
    await database.query.transaction().execute(async (query) => {
      // The migration has made this row.
      if (found.table.name === 'change_head') await query.deleteFrom('change_head').execute()
      await insertRows(query, found.table, found.rows)
    })
    onRows?.(rows)
  }
  for (const table of everyTable) await continueCounters(database.query, database.engine, table)
  const store = createStore(database, keyring, { onForgedRow: () => undefined })
  // First: the numbers up to this one are of other changes.
  await store.change((transaction) => transaction.skipChanges(last))
  const restoredAt = Math.max(clock.now(), (await store.findClockMark()) ?? 0)
  const applied = await applyAll(store, apply, restoredAt)
  const { change } = reader.header
  await store.saveRestoration({ restoredAt, change })
  const { seq: lastNumber } = await database.query
    .selectFrom('change_head')
    .select('seq')
    .executeTakeFirstOrThrow()
  const eventId = random.uuid()
  const record = serviceRecord({
    eventId,
    time: restoredAt,
    eventName: 'RestoreBackup',
    accountId,
    region,
    details: { ...details(applied), lastNumber },
  })
  await store.change(async (transaction) => {
    const [first] = reader.header.streams
    await transaction.insertOutbox({
      eventId,
      record,
      ...placeOf(first?.checkpoint, first?.stream),
    })
  })
  await store.scrub()
  const bound = createBoundRows(keyring, () => undefined)
  await database.query.transaction().execute(async (query) => {
    await deliverAgain({ query, rows: bound })
    if (streams !== undefined) await beginStreamsAnew({ query }, streams)
  })
  await database.query.transaction().execute(async (query) => {
    // The nodes of the backup are not those of the new deployment: whoever starts puts itself there. What
    // they held, their leases and their shares of quotas, is free.
    for (const table of ['nodes', 'leases', 'quota_claims'] as const) {
      await query.deleteFrom(table).execute()
    }
    await insertRows(query, deployment, kept)
  })
  return { ...applied, rows }
}

async function requireEmpty({ query }: Database): Promise<void> {
  for (const table of everyTable) {
    if (table.name === 'change_head' || (await isEmptyTable(query, table))) continue
    throw new BackupRefused('the database is not empty: a backup is restored into an empty one')
  }
}

async function applyAll(
  store: Store,
  changes: readonly LoggedChange[],
  now: number,
): Promise<Applied> {
  const [taken, left]: [LoggedChange[], LoggedChange[]] = [[], []]
  for (const change of changes) {
    const outcome = await store.change(async (transaction) =>
      takeAway[change.name]?.(transaction, change, now),
    )
    if (outcome === 'taken') taken.push(change)
    if (outcome === 'left') left.push(change)
  }
  return { taken, left }
}

/** No segment before this one can hold the record. */
function placeOf(
  checkpoint: string | undefined,
  stream = 'worker-0',
): { readonly stream: string; readonly segment: number } {
  const { segment } = Object(JSON.parse(checkpoint ?? '{}')) as { readonly segment?: unknown }
  return { stream, segment: typeof segment === 'number' ? segment : 1 }
}
