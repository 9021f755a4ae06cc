/**
 * A client with a connection in its own thread, for commands and in-memory databases. Statements
 * block the event loop, so servers use the store thread instead.
 * @module
 */
import type { SqliteClient } from './sqlite-client.ts'
import { noResult, runStep } from './sqlite-steps.ts'
import type { SqliteConnection } from './sqlite.ts'

export function inlineClient(connection: SqliteConnection): SqliteClient {
  // oxlint-disable-next-line require-await -- what is thrown becomes a rejection
  const settled = async <T>(work: () => T): Promise<T> => work()
  return {
    run: (statement) => settled(() => connection.run(statement.sql, statement.parameters)),
    transact: ({ begins, steps, ends }) =>
      settled(() => {
        if (begins) connection.begin()
        const results = steps.map((step) => runStep(connection, step))
        if (ends !== undefined) connection[ends]()
        return results.at(-1) ?? noResult
      }),
    close: () => undefined,
  }
}
