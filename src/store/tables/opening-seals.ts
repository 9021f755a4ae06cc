/**
 * Which seals could still open what is deleted. A copy of the database from before the deletion holds the
 * material under a domain key, and that one under a root key: any that there has been by then, whose seal may
 * still be there.
 * @module
 */
import type { RowScope } from '../row-scope.ts'

/** Something that was deleted, in two stages. */
export interface Opened {
  /** Nothing in this database is left but a tombstone. */
  readonly gone: number
  /** No copy of the database opens it any more. */
  readonly shredded: number
  /** How many things each seal that is still there opens in copies, by generation. */
  readonly bySeal: ReadonlyMap<number, number>
}

/** The first there was: nobody noted it. */
export const firstSeal = 1

/** That of the root key which opens what is wrapped now. */
export async function latestSeal(query: RowScope['query']): Promise<number> {
  const found = await query
    .selectFrom('seals')
    .select('generation')
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst()
  return found?.generation ?? firstSeal
}

/** @param lastSeals the latest seal when each thing was deleted; undefined for one without material */
export async function openedBySeals(
  query: RowScope['query'],
  lastSeals: readonly (number | undefined)[],
): Promise<Opened> {
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
