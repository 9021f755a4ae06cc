/** Changes of resource counts, collected while a transaction runs. @module */
import type { AliasRef, KeyRecord } from '../model/key.ts'

export interface Counted {
  readonly accountId: string
  readonly region: string
  /** Also the name of the counted table. */
  readonly kind: 'keys' | 'aliases'
}

/** Collects how much a transaction changes counts. Keys and aliases that AWS creates do not count. */
export interface Tally {
  readonly addKey: (key: Pick<KeyRecord, 'accountId' | 'region' | 'manager'>, by: 1 | -1) => void
  readonly addAlias: (alias: AliasRef, by: 1 | -1) => void
  readonly of: (counted: Counted) => number
  /** Returns the count that is stored. Reads it once, because nobody else can change it meanwhile. */
  readonly kept: (
    counted: Counted,
    read: () => Promise<number | undefined>,
  ) => Promise<number | undefined>
  /** Forgets what is stored, because it was deleted. */
  readonly forget: () => void
  readonly all: () => readonly (readonly [Counted, number])[]
}

export function createTally(): Tally {
  const changes = new Map<string, readonly [Counted, number]>()
  const known = new Map<string, Promise<number | undefined>>()
  const of = (counted: Counted): number => changes.get(nameOf(counted).join('/'))?.[1] ?? 0
  const add = (counted: Counted, by: number): void => {
    changes.set(nameOf(counted).join('/'), [counted, of(counted) + by])
  }
  return {
    addKey({ accountId, region, manager }, by) {
      if (manager === 'CUSTOMER') add({ accountId, region, kind: 'keys' }, by)
    },
    addAlias({ accountId, region, name }, by) {
      if (!name.startsWith(awsAliases)) add({ accountId, region, kind: 'aliases' }, by)
    },
    of,
    kept(counted, read) {
      const name = nameOf(counted).join('/')
      const kept = known.get(name) ?? read()
      known.set(name, kept)
      return kept
    },
    forget: () => known.clear(),
    all: () => [...changes.values()],
  }
}

/** Customers cannot create an alias with this prefix. */
export const awsAliases = 'alias/aws/'

function nameOf({ accountId, region, kind }: Counted): readonly string[] {
  return [accountId, region, kind]
}
