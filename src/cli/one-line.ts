/** Errors of a start as one line for the operator. @module */
import { JournalFailed } from '../audit/journal/journal.ts'
import { ConfigError } from '../config.ts'
import { codeOf } from '../disk/error-code.ts'
import { visible } from '../model/visible.ts'
import { OperatorCallFailed } from '../operator/client.ts'
import { SealRefused } from '../seals/seal.ts'
import { DataRefused } from '../server/found-data.ts'
import { WorkerFailed } from '../server/workers/workers.ts'
import {
  ChangesRefused,
  DatabaseFailed,
  DatabaseInUse,
  DatabaseTooNew,
  DatabaseTooOld,
  LeaseExpired,
  SchemaChanged,
  TransactionConflict,
} from '../store/database.ts'
import { OtherNode } from '../store/postgres/node-lock.ts'
import { DatabaseUnreachable } from '../store/postgres/postgres-failure.ts'
import { TlsRefused } from '../tls/read-files.ts'
import { SocketRefused } from '../wire/unix-socket.ts'

const refusals = [
  TlsRefused,
  DatabaseUnreachable,
  WorkerFailed,
  ConfigError,
  DataRefused,
  OperatorCallFailed,
  SealRefused,
  DatabaseTooNew,
  DatabaseTooOld,
  SchemaChanged,
  JournalFailed,
  SocketRefused,
]

/** The database failed a start. Another start may succeed. */
const databaseFailures = [ChangesRefused, DatabaseFailed, TransactionConflict, LeaseExpired]

/**
 * One clear line for errors that an operator can fix. Others are printed in full. What others wrote, the
 * server of a database for example, reaches no terminal as it is.
 */
export function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return visible(String(error))
  const known = knownWords(error)
  if (known !== undefined) return visible(known)
  return (error.stack ?? error.message).split('\n').map(visible).join('\n')
}

function knownWords(error: Error): string | undefined {
  if (error instanceof OtherNode) return error.message
  if (error instanceof DatabaseInUse) return 'another Trent is using this data directory'
  if (databaseFailures.some((failure) => error instanceof failure)) {
    return `the database cannot be used: ${error.message}`
  }
  if (refusals.some((refusal) => error instanceof refusal)) return error.message
  if (codeOf(error) === 'EADDRINUSE') return 'the address of TRENT_LISTEN is in use'
  // System errors keep their own words: the code, the call, and the path or address.
  return 'syscall' in error ? error.message : undefined
}
