/**
 * Seals of the root key besides the current one: the recovery seal, and seals that their holders have not
 * proved yet. Like the rows of `deployment.ts` they have no row tag and need none: a forged row opens
 * nothing.
 * @module
 */
import type { Database } from '../database.ts'
import { otherSeals, type OtherSealRecord } from '../schema/deployment.ts'

/**
 * `recovery` can open the root key. `next` and `next-recovery` seal the same root key, and open it once
 * they are in force. `next-root` seals another root key, which nothing is under yet.
 */
export type SealRole = 'recovery' | NextRole
export type NextRole = 'next' | 'next-recovery' | 'next-root'

export interface OtherSeal extends OtherSealRecord {
  readonly role: SealRole
}

/** The row is not the one that was proved, or it is gone. */
export class SealReplaced extends Error {}

export async function readOtherSeals(
  database: Pick<Database, 'query'>,
): Promise<Readonly<Partial<Record<SealRole, OtherSeal>>>> {
  const rows = await database.query.selectFrom('other_seals').selectAll().execute()
  return Object.fromEntries(rows.map((row) => [row.role, otherSeals.toRecord(row)]))
}

/** Writes a seal that waits for its proof. Any other one that waits is deleted. */
export async function putNextSeal(
  database: Pick<Database, 'query'>,
  seal: OtherSealRecord & { readonly role: NextRole },
  /** The sealed root key that was opened to make it. */
  opened: Uint8Array,
): Promise<void> {
  await database.query.transaction().execute(async (query) => {
    const current = await query
      .selectFrom('seals')
      .select('sealed_root_key')
      .orderBy('generation', 'desc')
      .limit(1)
      .executeTakeFirst()
    const recovery = await query
      .selectFrom('other_seals')
      .select('sealed_root_key')
      .where('role', '=', 'recovery')
      .executeTakeFirst()
    const inForce = [current, recovery].some(
      (row) => row !== undefined && Buffer.compare(row.sealed_root_key, opened) === 0,
    )
    if (!inForce) throw new SealReplaced('the seal was replaced meanwhile: begin again')
    await deleteNext(query)
    await query.insertInto('other_seals').values(otherSeals.toRow(seal)).execute()
  })
}

/** Deletes the seals that wait for their proof. */
export async function deleteNextSeals({ query }: Pick<Database, 'query'>): Promise<void> {
  await deleteNext(query)
}

async function deleteNext(query: Database['query']): Promise<void> {
  await query.deleteFrom('other_seals').where('role', '<>', 'recovery').execute()
}

/**
 * Makes a proved seal the current one, or the recovery seal, and deletes the one before it, all in one
 * transaction.
 *
 * INVARIANT (a proof counts once): whatever else waits for its proof is deleted too. It was made under a seal
 * that opens nothing any more, and would give its makers the root key back.
 * @param dropRecovery deletes the recovery seal too, because people open the new seal themselves
 * @throws {SealReplaced} without any change unless the row holds the proved record
 */
export async function adoptSeal(
  database: Pick<Database, 'query' | 'unscrubbed'>,
  {
    role,
    proved,
    dropRecovery,
  }: {
    readonly role: Exclude<NextRole, 'next-root'>
    readonly proved: Uint8Array
    readonly dropRecovery: boolean
  },
): Promise<void> {
  // The bytes of the former seal must leave the file and its log.
  database.unscrubbed.raise()
  await database.query.transaction().execute(async (query) => {
    const row = await query
      .selectFrom('other_seals')
      .selectAll()
      .where('role', '=', role)
      .executeTakeFirst()
    if (row === undefined || Buffer.compare(row.sealed_root_key, proved) !== 0) {
      throw new SealReplaced('another seal has taken the place of the one that was proved')
    }
    if (dropRecovery || role === 'next-recovery') {
      await query.deleteFrom('other_seals').where('role', '=', 'recovery').execute()
    }
    if (role === 'next-recovery') {
      await query
        .updateTable('other_seals')
        .set({ role: 'recovery' })
        .where('role', '=', role)
        .execute()
      await deleteNext(query)
      return
    }
    const { kind, sealed_root_key } = row
    await query
      .updateTable('seals')
      .set({ kind, sealed_root_key })
      .where('generation', '=', (seals) =>
        seals.selectFrom('seals').select(seals.fn.max('generation').as('latest')),
      )
      .execute()
    await deleteNext(query)
  })
  database.unscrubbed.raise()
}
