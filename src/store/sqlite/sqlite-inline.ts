/**
 * A client with a connection in its own thread, for commands and in-memory databases. Statements
 * block the event loop, so servers use the store thread instead.
 * @module
 */
import type { SqliteClient } from './sqlite-client.ts'
import type { SqliteValue } from './sqlite-protocol.ts'
import type { SqliteConnection } from './sqlite.ts'

export function inlineClient(connection: SqliteConnection): SqliteClient {
  // oxlint-disable-next-line require-await -- what is thrown becomes a rejection
  const settled = async <T>(work: () => T): Promise<T> => work()
  return {
    run: (_lease, statement, parameters) =>
      // SQLite itself refuses values that it cannot store.
      settled(() => connection.run(statement, parameters as readonly SqliteValue[])),
    begin: () =>
      settled(() => {
        connection.begin()
        return 1
      }),
    commit: () => settled(connection.commit),
    rollback: () => settled(connection.rollback),
    close: () => undefined,
  }
}
