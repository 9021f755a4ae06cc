/**
 * The connection to the SQLite file, and the only file that imports `node:sqlite`. It is
 * synchronous and belongs inside the store thread: a slow disk, or a lock that another process
 * holds, blocks its caller.
 * @see https://www.sqlite.org/pragma.html
 * @module
 */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { constants, DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { createRecent } from '../../model/recent.ts'
import { createCopier } from './sqlite-copy.ts'
import { isDamage } from './sqlite-failure.ts'
import type { SqliteResult, SqliteRow, SqliteValue } from './sqlite-protocol.ts'

export interface SqliteConnection {
  readonly run: (sql: string, parameters: readonly SqliteValue[]) => SqliteResult
  /** Takes the write lock immediately. */
  readonly begin: () => void
  /** Leaves no transaction open, even if it throws. */
  readonly commit: () => void
  readonly rollback: () => void
  readonly inTransaction: () => boolean
  /** The change number as seen by the open transaction; 0 before there is a schema. */
  readonly changeNumber: () => number
  /**
   * Copies the write-ahead log into the database file, if anything was written since the last time
   * and no transaction is open.
   */
  readonly checkpoint: () => void
  /**
   * Copies the file and its log, as they are at one moment, into new files of mode 0600. Other
   * statements go on meanwhile, except that a checkpoint is answered as busy.
   */
  readonly copyTo: (path: string) => Promise<void>
  /** Moves the write-ahead log into the database file, and closes both. */
  readonly close: () => void
}

const statementsMax = 256
// Another process holds the lock for its lifetime, so waiting longer would only delay the refusal.
const lockWaitMs = 100

const options = {
  timeout: lockWaitMs,
  enableForeignKeyConstraints: true,
  enableDoubleQuotedStringLiterals: false,
  allowExtension: false,
  defensive: true,
} as const

/** Opens or creates the file. Pass what it throws to `failureOf`. */
export function openSqlite(path: string): SqliteConnection {
  const created = createPrivately(path)
  const database = new DatabaseSync(path, options)
  try {
    denyForeignCode(database)
    configure(database)
  } catch (error) {
    database.close()
    throw error
  }
  // The names of the file and of its log must survive a power cut, like their content.
  if (created) syncFolder(dirname(path))
  return connectionOf(database, path)
}

/** A database in memory, used to read the schema that migrations create. */
export function openInMemory(): SqliteConnection {
  const database = new DatabaseSync(':memory:', options)
  denyForeignCode(database)
  return connectionOf(database)
}

/**
 * Opens a file that no server has open, including the content of its log. Pass what it throws to
 * `failureOf`.
 */
export function openReadOnly(path: string): SqliteConnection {
  const { database, close } = openUnheld(path)
  try {
    database.prepare('SELECT 1 FROM sqlite_schema').all()
  } catch (error) {
    close()
    throw error
  }
  return { ...connectionOf(database), close }
}

/**
 * Denies SQL code that an attacker may have planted. Trent has no triggers, views or common table
 * expressions. If someone who could write the file planted a trigger or a view, whatever it
 * accesses is refused, and the statement with it.
 * @see https://www.sqlite.org/c3ref/set_authorizer.html
 */
function denyForeignCode(database: DatabaseSync): void {
  const { SQLITE_DENY, SQLITE_OK } = constants
  database.setAuthorizer((_action, _first, _second, _database, triggerOrView) =>
    triggerOrView === null ? SQLITE_OK : SQLITE_DENY,
  )
}

/**
 * Reads a file that no server has open, including its log, and changes neither.
 * @param read gets a function that returns the rows of a statement
 * @returns undefined if the file cannot be read, for example because a server has it open
 */
export function readOffline<T>(
  path: string,
  read: (rowsOf: (statement: string) => readonly SqliteRow[]) => T,
): T | undefined {
  let unheld: ReturnType<typeof openUnheld> | undefined
  try {
    unheld = openUnheld(path)
    const { database } = unheld
    return read((statement) => database.prepare(statement).all())
  } catch {
    return undefined
  } finally {
    unheld?.close()
  }
}

/** Changes neither the file nor its log, and leaves no other files behind. */
function openUnheld(path: string): { readonly database: DatabaseSync; readonly close: () => void } {
  // A reader would create a log and its index, and only a writer removes them again. A server with
  // the file open always has a log; without one, nothing changes the file.
  const index = `${path}-shm`
  const hadIndex = existsSync(index)
  const file = pathToFileURL(path)
  if (!existsSync(`${path}-wal`)) file.searchParams.set('immutable', '1')
  const database = new DatabaseSync(file, { ...options, readOnly: true })
  denyForeignCode(database)
  return {
    database,
    close() {
      database.close()
      if (!hadIndex) rmSync(index, { force: true })
    },
  }
}

/**
 * Creates the file with mode 0600; SQLite gives its log the same mode. It does not open an existing
 * file: closing any descriptor of it would drop the locks that this process holds on it.
 */
function createPrivately(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    chmodSync(path, 0o600)
    return false
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function configure(database: DatabaseSync): void {
  // The lock mode comes first: the log's index is then in memory, and no other process can share
  // it.
  requirePragma(database, 'locking_mode', 'EXCLUSIVE', 'exclusive')
  requirePragma(database, 'journal_mode', 'WAL', 'wal')
  requirePragma(database, 'synchronous', 'FULL', 2)
  requirePragma(database, 'foreign_keys', 'ON', 1)
  // Overwrites deleted key material with zeros instead of leaving it in free pages.
  requirePragma(database, 'secure_delete', 'ON', 1)
  // An attacker who can write the file could plant a view or trigger that calls functions.
  requirePragma(database, 'trusted_schema', 'OFF', 0)
  requirePragma(database, 'cell_size_check', 'ON', 1)
  // Writes no temporary file outside the data directory.
  requirePragma(database, 'temp_store', 'MEMORY', 2)
  // Takes the exclusive lock. In this lock mode it is kept until the file is closed.
  database.exec('BEGIN EXCLUSIVE')
  database.exec('COMMIT')
}

/** Checks the result, because SQLite silently ignores a pragma that it cannot apply. */
function requirePragma(
  database: DatabaseSync,
  name: string,
  value: string,
  expected: string | number,
): void {
  database.prepare(`PRAGMA ${name} = ${value}`).all()
  const present = Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (present !== expected) throw new Error(`SQLite did not take ${name} = ${value}`)
}

interface Prepared {
  readonly statement: StatementSync
  readonly answersRows: boolean
}

function connectionOf(database: DatabaseSync, path = ''): SqliteConnection {
  const prepare = statementCache(database)
  let isWritten = true
  const copier = createCopier(database, path)
  const run = (sql: string, parameters: readonly SqliteValue[]): SqliteResult => {
    if (copier.isCopying() && /^\s*PRAGMA wal_checkpoint/i.test(sql)) {
      return { rows: [{ busy: 1 }], affected: 0 }
    }
    const { statement, answersRows } = prepare(sql)
    if (answersRows) {
      const rows = rowsOf(sql, () => readRows(sql, statement, parameters))
      return { rows, affected: rows.length }
    }
    isWritten = true
    return { rows: [], affected: Number(statement.run(...parameters).changes) }
  }
  const rollback = (): void => {
    // SQLite rolls back by itself after some failures.
    if (database.isTransaction) database.exec('ROLLBACK')
  }
  let hasSchema = false
  return {
    run,
    begin() {
      isWritten = true
      database.exec('BEGIN IMMEDIATE')
    },
    commit() {
      try {
        database.exec('COMMIT')
      } catch (error) {
        rollback()
        throw error
      }
    },
    rollback,
    inTransaction: () => database.isTransaction,
    changeNumber() {
      hasSchema ||=
        run("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'change_head'", []).rows
          .length > 0
      if (!hasSchema) return 0
      return Number(run('SELECT seq FROM change_head WHERE id = 1', []).rows[0]?.['seq'] ?? 0)
    },
    checkpoint() {
      if (!isWritten || database.isTransaction || copier.isCopying()) return
      database.exec('PRAGMA wal_checkpoint(PASSIVE)')
      isWritten = false
    },
    copyTo: copier.copyTo,
    close() {
      rollback()
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
      copier.close()
    },
  }
}

/**
 * Reads the rows of a check. SQLite throws if the damage stops the check, which then also becomes a
 * row.
 */
function rowsOf(sql: string, read: () => readonly SqliteRow[]): readonly SqliteRow[] {
  try {
    return read()
  } catch (error) {
    const isCheck = sql.trimStart().startsWith('PRAGMA quick_check')
    if (isCheck && error instanceof Error && isDamage(error))
      return [{ quick_check: error.message }]
    throw error
  }
}

/** Keeps the prepared statements that were used recently. */
function statementCache(database: DatabaseSync): (sql: string) => Prepared {
  // Each takes one place.
  const statements = createRecent<Prepared>(statementsMax)
  return (sql) => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    const prepared = { statement, answersRows: statement.columns().length > 0 }
    statements.set(sql, prepared, 1)
    return prepared
  }
}

/**
 * A number that does not fit, which Trent never writes, would fail the whole query. Then the query
 * runs again, with all numbers as `bigint`; a statement that writes cannot, so its numbers always are.
 */
function readRows(
  sql: string,
  statement: StatementSync,
  parameters: readonly SqliteValue[],
): readonly SqliteRow[] {
  const isRead = /^select /i.test(sql)
  if (isRead) {
    try {
      statement.setReadBigInts(false)
      return statement.all(...parameters)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  statement.setReadBigInts(true)
  return statement.all(...parameters).map(readRow)
}

/**
 * Turns whole numbers into `number`. One beyond 2^53 − 1, which Trent never writes, stays a
 * `bigint`.
 */
function readRow(row: Readonly<Record<string, SqliteValue>>): SqliteRow {
  const read: Record<string, SqliteValue> = {}
  for (const [name, value] of Object.entries(row)) {
    const fits = typeof value === 'bigint' && Number.isSafeInteger(Number(value))
    read[name] = fits ? Number(value) : value
  }
  return read
}
