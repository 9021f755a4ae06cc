/**
 * Seals of the root key besides the current one: the recovery seal, and seals that their holders have not
 * proved yet. The recovery seal is read before the root key is open, like the rows of `deployment.ts`. It
 * needs no tag, because a forged row opens nothing. The others become seals of this deployment once they are
 * proved.
 *
 * INVARIANT (who made it): a seal that waits has a tag, without which it never comes into force. The tag
 * names the seal that is in force. So whoever writes the database can put neither a root key of their own
 * there, nor a seal that was given up.
 * @module
 */
import { canonicalRow } from '../../crypto/canonical.ts'
import type { RowKeyring } from '../bound-rows.ts'
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

/**
 * Writes a seal that waits for its proof. Any other one that waits is deleted.
 * @param of.opened the sealed root key that was opened to make it
 * @throws {SealReplaced} without any change unless that one is in force
 */
export async function putNextSeal(
  database: Pick<Database, 'query'>,
  seal: Omit<OtherSealRecord, 'tag'> & { readonly role: NextRole },
  { opened, keyring }: { readonly opened: Uint8Array; readonly keyring: RowKeyring },
): Promise<void> {
  await database.query.transaction().execute(async (query) => {
    const current = await currentSeal(query)
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
    const tag = keyring.tagRow(taggedBytes(seal, current.sealed_root_key))
    await query
      .insertInto('other_seals')
      .values(otherSeals.toRow({ ...seal, tag }))
      .execute()
  })
}

/**
 * The seal that waits in this role, for the transaction that puts it in force.
 * @param of.proved its record, as its holders proved it
 * @throws {SealReplaced} unless the row holds that record, and a server made it under the seal in force
 */
export async function provedSeal(
  query: Database['query'],
  {
    role,
    proved,
    keyring,
  }: { readonly role: NextRole; readonly proved: Uint8Array; readonly keyring: RowKeyring },
): Promise<OtherSealRecord> {
  const row = await query
    .selectFrom('other_seals')
    .selectAll()
    .where('role', '=', role)
    .executeTakeFirst()
  const seal = row && otherSeals.toRecord(row)
  if (seal === undefined || Buffer.compare(seal.sealedRootKey, proved) !== 0) {
    throw new SealReplaced('another seal has taken the place of the one that was proved')
  }
  const { sealed_root_key: current } = await currentSeal(query)
  const { tag = new Uint8Array() } = seal
  if (keyring.checkRowTag(taggedBytes(seal, current), tag)) return seal
  throw new SealReplaced(
    'the new seal was not made under the seal in force, or somebody else wrote it: begin again',
  )
}

function currentSeal(query: Database['query']): Promise<{ readonly sealed_root_key: Uint8Array }> {
  return query
    .selectFrom('seals')
    .select('sealed_root_key')
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
}

function taggedBytes(
  { role, kind, sealedRootKey, createdAt }: OtherSealRecord,
  current: Uint8Array,
): Uint8Array {
  return canonicalRow('other_seals', { role, kind, sealedRootKey, createdAt, current })
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
 * @throws {SealReplaced} without any change, as `provedSeal`
 */
export async function adoptSeal(
  database: Pick<Database, 'query' | 'unscrubbed'>,
  {
    role,
    proved,
    keyring,
    dropRecovery,
  }: {
    readonly role: Exclude<NextRole, 'next-root'>
    readonly proved: Uint8Array
    readonly keyring: RowKeyring
    readonly dropRecovery: boolean
  },
): Promise<void> {
  // The bytes of the former seal must leave the file and its log.
  database.unscrubbed.raise()
  await database.query.transaction().execute(async (query) => {
    const { kind, sealedRootKey } = await provedSeal(query, { role, proved, keyring })
    if (dropRecovery || role === 'next-recovery') {
      await query.deleteFrom('other_seals').where('role', '=', 'recovery').execute()
    }
    if (role === 'next-recovery') {
      await query
        .updateTable('other_seals')
        .set({ role: 'recovery', tag: null })
        .where('role', '=', role)
        .execute()
      await deleteNext(query)
      return
    }
    await query
      .updateTable('seals')
      .set({ kind, sealed_root_key: sealedRootKey })
      .where('generation', '=', (seals) =>
        seals.selectFrom('seals').select(seals.fn.max('generation').as('latest')),
      )
      .execute()
    await deleteNext(query)
  })
  database.unscrubbed.raise()
}
