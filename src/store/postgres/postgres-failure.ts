/**
 * Turns PostgreSQL's errors into the store's.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 * @module
 */
import { DatabaseFailed, LeaseExpired, StatementFailed, TransactionConflict } from '../database.ts'
import { DuplicateRow } from '../store.ts'

/** No primary could be reached, or none had a free session. Nothing was sent. */
export class DatabaseUnreachable extends Error {}

/** A COMMIT may or may not have taken effect. */
export class OutcomeUnknown extends DatabaseFailed {}

const uniqueViolation = '23505'
/**
 * Serialization failure, deadlock, lock not available, and a server that has become a standby.
 * Another try may succeed, on another connection.
 */
const conflicts: readonly string[] = ['40001', '40P01', '55P03', '25006']
const idleInTransaction = '25P03'
const featureNotSupported = '0A000'

/** The SQLSTATE of an error that the server sent; undefined if the connection broke. */
export function stateOf(error: unknown): string | undefined {
  const isFromServer = error instanceof Error && 'severity' in error && 'code' in error
  return isFromServer && typeof error.code === 'string' ? error.code : undefined
}

/** Whether the session cannot be used any more. */
export function isBroken(error: unknown): boolean {
  const state = stateOf(error)
  if (state === undefined || severityOf(error) !== 'ERROR') return true
  return /^(?:08|57P|58|XX)/.test(state) || state === idleInTransaction || state === '25006'
}

function severityOf(error: unknown): unknown {
  return error instanceof Error && 'severity' in error ? error.severity : undefined
}

/** A prepared statement, after a migration has changed the columns of its table. Nothing ran. */
export function isStalePlan(error: unknown): boolean {
  return stateOf(error) === featureNotSupported && messageOf(error).includes('cached plan')
}

/**
 * The failure of a statement.
 * @param isUndone whether its transaction is certainly rolled back if the connection broke
 */
export function failureOf(error: unknown, isUndone: boolean): Error {
  const state = stateOf(error)
  const message = messageOf(error)
  if (state === idleInTransaction) return new LeaseExpired(message)
  if (isBroken(error)) {
    return isUndone ? new TransactionConflict(message) : new DatabaseFailed(message)
  }
  if (isStalePlan(error)) return new TransactionConflict(message)
  if (state === uniqueViolation) return new DuplicateRow(message)
  if (state !== undefined && conflicts.includes(state)) return new TransactionConflict(message)
  return new StatementFailed(message)
}

/**
 * PostgreSQL's messages name columns, and values only in errors about a value. The detail, which is
 * left out, quotes values too.
 */
export function messageOf(error: unknown): string {
  const state = stateOf(error)
  if (state?.startsWith('22') === true) return `PostgreSQL refused a value (${state})`
  return error instanceof Error ? error.message : String(error)
}
