/** Runs the statements of a transaction. @module */
import { SqliteRefused } from './sqlite-failure.ts'
import type { SqliteBatch, SqliteResult, SqliteStep } from './sqlite-protocol.ts'
import type { SqliteConnection } from './sqlite.ts'

export const noResult: SqliteResult = { rows: [], affected: 0 }

/** Throws what the database throws, or `SqliteRefused` if other rows were affected than expected. */
export function runStep(
  connection: SqliteConnection,
  { sql, parameters, rows }: SqliteStep,
): SqliteResult {
  const result = connection.run(sql, parameters)
  if (rows === undefined || result.affected === rows) return result
  const message = `a statement affected ${result.affected} rows instead of ${rows}`
  throw new SqliteRefused({ kind: 'stale', message })
}

/**
 * Runs the statements of a batch. A failure of one that the client does not wait for is returned,
 * because it ends the transaction.
 */
export function runSteps(
  connection: SqliteConnection,
  { steps, ends }: SqliteBatch,
): { readonly result: SqliteResult; readonly failure?: Error } {
  let result = noResult
  for (const [index, step] of steps.entries()) {
    try {
      result = runStep(connection, step)
    } catch (error) {
      const isAwaited = ends === undefined && index === steps.length - 1
      if (isAwaited || !(error instanceof Error)) throw error
      return { result, failure: error }
    }
  }
  return { result }
}
