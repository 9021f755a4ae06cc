/**
 * The connection to the SQLite file, and the only file that imports `node:sqlite`. It is synchronous
 * and belongs inside the store thread: a lock held elsewhere or a slow disk blocks whoever calls it.
 * @see https://www.sqlite.org/pragma.html
 * @module
 */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { constants, DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { isDamage } from './sqlite-failure.ts'
import type { SqliteResult, SqliteRow, SqliteValue } from './sqlite-protocol.ts'

export interface SqliteConnection {
  readonly run: (sql: string, parameters: readonly SqliteValue[]) => SqliteResult
  /** Takes the write lock at once. */
  readonly begin: () => void
  /** Leaves no transaction open, even when it throws. */
  readonly commit: () => void
  readonly rollback: () => void
  readonly inTransaction: () => boolean
  /** The change number as the open transaction sees it; 0 before there is a schema. */
  readonly changeNumber: () => number
  /**
   * Copies what the write-ahead log holds into the database file, when anything was written since and no
   * transaction is open.
   */
  readonly checkpoint: () => void
  /** Moves the write-ahead log into the database file, and closes both. */
  readonly close: () => void
}

const statementsMax = 256
// Another process holds the lock for its lifetime: waiting longer would only delay the refusal.
const lockWaitMs = 100

const options = {
  timeout: lockWaitMs,
  enableForeignKeyConstraints: true,
  enableDoubleQuotedStringLiterals: false,
  allowExtension: false,
  defensive: true,
} as const

/** Opens or creates the file. What is thrown is for `failureOf`. */
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
  // The names of the file and of its log must outlive a power cut, as what is in them does.
  if (created) syncFolder(dirname(path))
  return connectionOf(database)
}

/** A database in memory. It shows what a schema looks like. */
export function openInMemory(): SqliteConnection {
  const database = new DatabaseSync(':memory:', options)
  denyForeignCode(database)
  return connectionOf(database)
}

/** A file that no server has open, with what its log holds. What is thrown is for `failureOf`. */
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
 * Trent has no triggers, views or common table expressions, and names them nowhere. Whoever could write
 * the file may have planted a trigger or a view: whatever it accesses is refused, and the statement with it.
 * @see https://www.sqlite.org/c3ref/set_authorizer.html
 */
function denyForeignCode(database: DatabaseSync): void {
  const { SQLITE_DENY, SQLITE_OK } = constants
  database.setAuthorizer((_action, _first, _second, _database, triggerOrView) =>
    triggerOrView === null ? SQLITE_OK : SQLITE_DENY,
  )
}

/**
 * Reads a file that no server has open, with what its log holds, and changes neither.
 * @param read gets a function that answers the rows of a statement
 * @returns undefined when the file cannot be read, as while a server holds it
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

/** Changes neither the file nor its log, and leaves nothing beside them. */
function openUnheld(path: string): { readonly database: DatabaseSync; readonly close: () => void } {
  // A reader would make a log and its index, and only a writer removes them again. A server that has the file
  // open has a log; without one nothing changes the file.
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
 * Mode 0600 from the first byte on; SQLite gives its log the mode of the file. An existing file is not
 * opened here: closing any descriptor of it would drop the locks that this process holds on it.
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
  // The lock mode comes first: the log's index is then in memory, and nobody else can share it.
  requirePragma(database, 'locking_mode', 'EXCLUSIVE', 'exclusive')
  requirePragma(database, 'journal_mode', 'WAL', 'wal')
  requirePragma(database, 'synchronous', 'FULL', 2)
  requirePragma(database, 'foreign_keys', 'ON', 1)
  // Deleted key material is overwritten with zeros, not left in free pages.
  requirePragma(database, 'secure_delete', 'ON', 1)
  // Whoever can write the file could plant a view or trigger that calls functions.
  requirePragma(database, 'trusted_schema', 'OFF', 0)
  requirePragma(database, 'cell_size_check', 'ON', 1)
  // Nothing spills into a temporary file outside the data directory.
  requirePragma(database, 'temp_store', 'MEMORY', 2)
  // Takes the exclusive lock and, in this lock mode, keeps it until the file is closed.
  database.exec('BEGIN EXCLUSIVE')
  database.exec('COMMIT')
}

/** SQLite ignores a pragma that it cannot follow, without an error. */
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

function connectionOf(database: DatabaseSync): SqliteConnection {
  const prepare = statementCache(database)
  let isWritten = true
  const run = (sql: string, parameters: readonly SqliteValue[]): SqliteResult => {
    const { statement, answersRows } = prepare(sql)
    if (answersRows) {
      const rows = rowsOf(sql, () => statement.all(...parameters).map(readRow))
      return { rows, affected: rows.length }
    }
    isWritten = true
    return { rows: [], affected: Number(statement.run(...parameters).changes) }
  }
  const rollback = (): void => {
    // Some failures roll back by themselves.
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
      if (!isWritten || database.isTransaction) return
      database.exec('PRAGMA wal_checkpoint(PASSIVE)')
      isWritten = false
    },
    close() {
      rollback()
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
    },
  }
}

/** A check of damage answers every damage as a row: SQLite throws when it cannot go on. */
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

/** The statements used last stay prepared. */
function statementCache(database: DatabaseSync): (sql: string) => Prepared {
  const statements = new Map<string, Prepared>()
  return (sql) => {
    const known = statements.get(sql)
    if (known !== undefined) {
      statements.delete(sql)
      statements.set(sql, known)
      return known
    }
    const statement = database.prepare(sql)
    // A number that does not fit would otherwise fail the whole query; `readRow` lets it through.
    statement.setReadBigInts(true)
    const prepared = { statement, answersRows: statement.columns().length > 0 }
    statements.set(sql, prepared)
    const [oldest] = statements.keys()
    if (statements.size > statementsMax && oldest !== undefined) statements.delete(oldest)
    return prepared
  }
}

/** Whole numbers as `number`; one beyond 2^53 − 1, which Trent never writes, stays a `bigint`. */
function readRow(row: Readonly<Record<string, SqliteValue>>): SqliteRow {
  const read: Record<string, SqliteValue> = {}
  for (const [name, value] of Object.entries(row)) {
    const fits = typeof value === 'bigint' && Number.isSafeInteger(Number(value))
    read[name] = fits ? Number(value) : value
  }
  return read
}
