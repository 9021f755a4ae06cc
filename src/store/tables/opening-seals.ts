/**
 * Finds the seals that could still open deleted material. A copy of the database from before the
 * deletion contains the material under a domain key, which is wrapped under a root key. Any root
 * key up to the deletion may open it, as long as its seal exists.
 * @module
 */
import type { RowScope } from '../row-scope.ts'

/** Counts of deleted things, by two stages of deletion. */
export interface DeletedCounts {
  /** This database holds only a tombstone of them. */
  readonly gone: number
  /** No copy of the database can open them any more. */
  readonly shredded: number
  /** For each existing seal, by generation, how many things in copies it can open. */
  readonly bySeal: ReadonlyMap<number, number>
}

/** The generation of the first seal. */
export const firstSeal = 1

/** The generation of the seal of the current root key. */
export async function latestSeal(query: RowScope['query']): Promise<number> {
  const found = await query
    .selectFrom('seals')
    .select('generation')
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst()
  return found?.generation ?? firstSeal
}

/**
 * @param lastSeals the latest seal when each thing was deleted; undefined for one without material
 */
export async function openedBySeals(
  query: RowScope['query'],
  lastSeals: readonly (number | undefined)[],
): Promise<DeletedCounts> {
  const seals = await query.selectFrom('seals').select('generation').orderBy('generation').execute()
  const bySeal = new Map<number, number>()
  let shredded = 0
  for (const last of lastSeals) {
    if (last === undefined) continue
    const openers = seals.filter(({ generation }) => generation <= last)
    if (openers.length === 0) shredded += 1
    for (const { generation } of openers) bySeal.set(generation, (bySeal.get(generation) ?? 0) + 1)
  }
  return { gone: lastSeals.length, shredded, bySeal }
}
