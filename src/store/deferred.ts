/**
 * Writes of a transaction that nobody waits for. They run before the next statement of the transaction,
 * or before its commit. Drivers send them together with it, which saves a round trip for each.
 * @module
 */
import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Schema } from './schema/schema.ts'

interface Deferral {
  /** How many rows the statement must affect. Otherwise the transaction fails with `StaleRow`. */
  readonly rows?: number
}

interface DeferredQuery extends CompiledQuery {
  readonly deferral: Deferral
}

/**
 * Runs a write later, but before the next statement of the same transaction. If it fails, that
 * statement or the commit throws its error, and the transaction is rolled back. Outside a
 * transaction it runs at once.
 */
export async function defer(
  query: Kysely<Schema>,
  write: Compilable,
  deferral: Deferral = {},
): Promise<void> {
  const deferred: DeferredQuery = { ...write.compile(), deferral }
  await query.executeQuery(deferred)
}

/** For drivers: what `defer` says about a statement; undefined for one that is awaited. */
export function deferralOf(query: CompiledQuery): Deferral | undefined {
  return 'deferral' in query ? (query as DeferredQuery).deferral : undefined
}
