/**
 * Leases: they keep nodes from doing the same work at once. A node may lose its lease while it works, so the
 * work must be right without it.
 * @module
 */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema/schema.ts'

/**
 * Takes a lease, or keeps it. Returns false while another holder has it.
 * @param now milliseconds since the epoch; clocks of nodes may differ by a minute
 */
export async function takeLease(
  query: Kysely<Schema>,
  lease: { readonly name: string; readonly holder: string },
  now: number,
  forMs: number,
): Promise<boolean> {
  const { holder } = lease
  const expires_at = now + forMs
  const taken = await query
    .insertInto('leases')
    .values({ ...lease, expires_at })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, expires_at })
        .where((row) =>
          row.or([row('leases.holder', '=', holder), row('leases.expires_at', '<', now)]),
        ),
    )
    .returning('holder')
    .executeTakeFirst()
  return taken !== undefined
}
