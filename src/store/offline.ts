/**
 * Reads a database file while no server has it open. It does not check row tags, because the root
 * key is not open.
 * @module
 */
import { existsSync } from 'node:fs'
import type { DeliveryCursor, DeliveryFile } from '../model/delivery.ts'
import { historyStatements, storedHistory, type StoredHistory } from './stored-history.ts'
import { readOffline } from './sqlite/sqlite.ts'

/** The last checkpoint of one journal stream that the database holds. */
export interface StoredCheckpoint {
  readonly stream: string
  readonly text: string
  readonly signature: Uint8Array
}

export type StoredState =
  /** The file does not exist. */
  | { readonly kind: 'absent' }
  /** A server has the file open, or it is not a database. */
  | { readonly kind: 'unreadable' }
  /** A database without Trent's tables, for example a file of zero bytes. */
  | { readonly kind: 'empty' }
  /** The tables without a deployment: a first start died early. */
  | { readonly kind: 'unfinished' }
  /** Rows without a deployment, which a restore writes last: it did not finish. */
  | { readonly kind: 'restoring' }
  | StoredDeployment

export interface StoredDeployment {
  readonly kind: 'deployment'
  readonly deploymentId: string
  /** The number of the last change. */
  readonly changes: number
  readonly checkpoints: readonly StoredCheckpoint[]
}

export function readStoredState(path: string): StoredState {
  if (!existsSync(path)) return { kind: 'absent' }
  const state = readOffline(path, (rowsOf): StoredState => {
    const hasTable = (name: string): boolean =>
      rowsOf(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '${name}'`).length > 0
    if (!hasTable('deployment')) return { kind: 'empty' }
    const [deployment] = rowsOf('SELECT deployment_id FROM deployment')
    if (deployment === undefined) return stateWithoutDeployment(rowsOf(sealsStatement))
    return storedState(deployment, {
      heads: rowsOf(headStatement),
      writers: rowsOf(writersStatement),
    })
  })
  return state ?? { kind: 'unreadable' }
}

/** @param from the first number whose id is read @returns undefined if the file cannot be read */
export function readStoredHistory(path: string, from: number): StoredHistory | undefined {
  const { heads, firsts, log, accepted } = historyStatements(from)
  return readOffline(path, (rowsOf) =>
    storedHistory({
      heads: rowsOf(heads),
      firsts: rowsOf(firsts),
      log: rowsOf(log),
      accepted: rowsOf(accepted),
    }),
  )
}

type AnyRow = Readonly<Record<string, unknown>>

export const headStatement = 'SELECT seq FROM change_head WHERE id = 1'
export const writersStatement = 'SELECT stream, checkpoint, signature FROM audit_writers'

export const sealsStatement = 'SELECT 1 AS present FROM seals LIMIT 1'

export function stateWithoutDeployment(seals: readonly AnyRow[]): StoredState {
  return { kind: seals.length > 0 ? 'restoring' : 'unfinished' }
}

/** The state of a database of any engine. Values may be of any type: nothing has checked the rows. */
export function storedState(
  deployment: AnyRow,
  { heads, writers }: { readonly heads: readonly AnyRow[]; readonly writers: readonly AnyRow[] },
): StoredState {
  return {
    kind: 'deployment',
    deploymentId: String(deployment['deployment_id']),
    changes: Number(heads[0]?.['seq'] ?? 0),
    checkpoints: writers.flatMap(({ stream, checkpoint: text, signature }) =>
      typeof stream === 'string' && typeof text === 'string' && signature instanceof Uint8Array
        ? [{ stream, text, signature }]
        : [],
    ),
  }
}

/** The rows of delivery. They prove nothing: anyone who can write the database can change them. */
export interface StoredDelivery {
  /** The end of the records of each stream that are in files. */
  readonly cursors: ReadonlyMap<string, Pick<DeliveryCursor, 'segment' | 'offset'>>
  /** Files on their way, or not listed by a digest yet. */
  readonly files: readonly (DeliveryFile & { readonly isDelivered: boolean })[]
  readonly lastDigests: readonly { readonly key: string; readonly hash: string }[]
}

/** @returns undefined if the file cannot be read, for example because a server has it open */
export function readStoredDelivery(path: string): StoredDelivery | undefined {
  if (!existsSync(path)) return undefined
  return readOffline(path, (rowsOf) => ({
    cursors: new Map(
      rowsOf('SELECT stream, segment, position FROM delivery_cursors').map((row) => [
        String(row['stream']),
        { segment: Number(row['segment']), offset: Number(row['position']) },
      ]),
    ),
    files: rowsOf('SELECT file, delivered FROM delivery_files').map(({ file, delivered }) => ({
      ...(JSON.parse(String(file)) as DeliveryFile), // as delivery-rows.ts writes it
      isDelivered: delivered === 1,
    })),
    lastDigests: rowsOf('SELECT last FROM digest_chains WHERE last IS NOT NULL').map(
      ({ last }) => JSON.parse(String(last)) as { readonly key: string; readonly hash: string },
    ),
  }))
}
