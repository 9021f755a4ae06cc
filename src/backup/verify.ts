/**
 * Reads a backup: its structure without the seal, and with the keys of the deployment every row and its tag.
 * @module
 */
import type { Keyring } from '../crypto/keyring.ts'
import { createBoundRows, isBound } from '../store/bound-rows.ts'
import { createFrameOpener, damaged, frameKinds, type BackupReader } from './format.ts'
import { readEnd, readRows, type RowsOfTable } from './rows.ts'

/** Checks that no byte was changed by accident, and that the end is there. @throws {BackupRefused} */
export async function checkStructure({ frames }: BackupReader): Promise<void> {
  for await (const frame of frames()) void frame
}

/**
 * Yields all rows, table by table. It ends only if none is missing.
 * @throws {BackupRefused}
 */
export async function* rowsOf(
  reader: BackupReader,
  keyring: Pick<Keyring, 'backupKey' | 'deploymentId'>,
): AsyncGenerator<RowsOfTable> {
  const opener = createFrameOpener(reader, keyring)
  const counts: Record<string, number> = {}
  let ends = false
  try {
    for await (const frame of reader.frames()) {
      const plaintext = opener.open(frame)
      if (frame.kind === frameKinds.end) {
        ends = isSame(readEnd(plaintext).rows, counts)
        continue
      }
      const found = readRows(plaintext)
      const { name } = found.table
      counts[name] = (counts[name] ?? 0) + found.rows.length
      yield found
    }
    if (!ends) throw damaged('rows are missing')
  } finally {
    opener.close()
  }
}

function isSame(
  wanted: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): boolean {
  return Object.entries(wanted).every(([table, count]) => (found[table] ?? 0) === count)
}

export interface VerifiedBackup {
  readonly rows: number
  /** Rows with a valid tag. */
  readonly genuine: number
  /** The first rows with a wrong tag: `table/primary key`. */
  readonly forged: readonly string[]
  readonly forgedCount: number
}

const forgedShown = 100

/**
 * Checks every row.
 * @param onRows called with the number of rows that were checked
 * @throws {BackupRefused}
 */
export async function verifyRows(
  reader: BackupReader,
  keyring: Keyring,
  onRows: (rows: number) => void = () => undefined,
): Promise<VerifiedBackup> {
  const forged: string[] = []
  let forgedCount = 0
  const bound = createBoundRows(keyring, (table, id) => {
    forgedCount += 1
    if (forged.length < forgedShown) forged.push(`${table}/${id}`)
  })
  let all = 0
  let genuine = 0
  for await (const { table, rows } of rowsOf(reader, keyring)) {
    all += rows.length
    onRows(all)
    if (!isBound(table)) continue
    for (const row of rows) {
      const key = table.primaryKey.map((column) => row[column])
      if (bound.isGenuine(table, row, key)) genuine += 1
    }
  }
  return { rows: all, genuine, forged, forgedCount }
}
