/**
 * An index of one key's grants to one grantee, so that a call finds its grant without reading the
 * others. Grants with equal terms share one entry. Each entry is indexed by its grantee's unique id,
 * its source and one pair of its context.
 *
 * INVARIANT (same answer): `find` returns what `grantGives` of `grants.ts` decides for the same grants.
 * @see docs/adr/0026-grants-at-scale.md
 * @module
 */
import {
  contextSelectors,
  describeSelector,
  operationBits,
  type AskedTerms,
  type GrantTerms,
} from '../model/grant-terms.ts'

/** A grant that allows the request. Its constraints hold for the call and need no second check. */
export interface FoundGrant {
  readonly grantId: string
  /** As in `GrantTerms`. */
  readonly operations: number
  readonly issuingAccountId: string
}

export interface GrantSet {
  /** The number of grants. */
  readonly size: () => number
  /** Approximate bytes in memory. */
  readonly bytes: () => number
  /** Adds a grant, or replaces the one with the same id. */
  readonly put: (terms: GrantTerms) => void
  readonly delete: (grantId: string) => void
  /**
   * Grants to a principal with this unique id that allow the request, at most `most`. Grants that
   * involve the grantee's own account come first, because they need the fewest other policies.
   * @returns undefined when the search exceeds `stepsMax`: whether a grant allows is unknown then
   */
  readonly find: (
    asked: AskedTerms,
    granteeId: string,
    most: number,
  ) => readonly FoundGrant[] | undefined
  /** Entries read since the start. */
  readonly steps: () => number
}

interface Entry {
  readonly terms: GrantTerms
  readonly name: string
  readonly places: readonly string[]
  /** The grants with these terms. */
  grantIds: string | Set<string>
}

/**
 * Entries that one search may read: several milliseconds. A search needs few, unless many grants
 * constrain several pairs each, chosen so that no single pair separates them.
 */
export const stepsMax = 20_000

/** Measured bytes of an entry, an index key and a grant, without their texts. */
const entryBytes = 320
const placeBytes = 48
const grantBytes = 160

export function createGrantSet(): GrantSet {
  const byId = new Map<string, Entry>()
  const byTerms = new Map<string, Entry>()
  const filed = new Map<string, Entry | Set<Entry>>()
  let bytes = 0
  let steps = 0

  const remove = (grantId: string): void => {
    const entry = byId.get(grantId)
    if (entry === undefined) return
    byId.delete(grantId)
    bytes -= grantBytes
    if (typeof entry.grantIds !== 'string') {
      entry.grantIds.delete(grantId)
      if (entry.grantIds.size > 0) return
    }
    byTerms.delete(entry.name)
    for (const place of entry.places) unfile(filed, place, entry)
    bytes -= bytesOf(entry)
  }
  const add = (terms: GrantTerms): Entry => {
    const name = nameOf(terms)
    const known = byTerms.get(name)
    if (known !== undefined) {
      if (typeof known.grantIds === 'string') known.grantIds = new Set([known.grantIds])
      known.grantIds.add(terms.grantId)
      return known
    }
    const entry: Entry = { terms, name, places: placesOf(terms, filed), grantIds: terms.grantId }
    byTerms.set(name, entry)
    for (const place of entry.places) file(filed, place, entry)
    bytes += bytesOf(entry)
    return entry
  }
  return {
    size: () => byId.size,
    bytes: () => bytes,
    steps: () => steps,
    put(terms) {
      remove(terms.grantId)
      byId.set(terms.grantId, add(terms))
      bytes += grantBytes
    },
    delete: remove,
    find(asked, granteeId, most) {
      const found: FoundGrant[] = []
      // Most callers have no grants, and the tokens of their questions need no hashes then.
      if (filed.size === 0) return found
      const until = steps + stepsMax
      for (const place of placesAsked(asked, granteeId)) {
        const entries = filed.get(place)
        if (entries === undefined) continue
        for (const entry of entries instanceof Set ? entries : [entries]) {
          if (steps >= until) return found.length > 0 ? found : undefined
          steps += 1
          if (!gives(entry.terms, asked)) continue
          take(entry, found, most)
          if (found.length >= most) return found
        }
      }
      return found
    },
  }
}

function gives({ operations, pairs }: GrantTerms, asked: AskedTerms): boolean {
  if ((asked.operations & ~operations) !== 0) return false
  return asked.operation === 'DescribeKey' || pairs.every(asked.hasPair)
}

function take({ terms, grantIds }: Entry, found: FoundGrant[], most: number): void {
  const { operations, issuingAccountId } = terms
  for (const grantId of typeof grantIds === 'string' ? [grantIds] : grantIds) {
    if (found.length >= most) return
    found.push({ grantId, operations, issuingAccountId })
  }
}

/** The name of an entry. Only grants with equal terms have the same. */
function nameOf({ operations, issuingAccountId, equals, ...terms }: GrantTerms): string {
  const { granteeId, own, source, pairs } = terms
  return JSON.stringify([operations, issuingAccountId, granteeId, own, source, equals ?? 0, pairs])
}

function placeOf(granteeId: string, own: boolean, source: string, selector: string): string {
  return `${granteeId} ${own ? 'own' : 'other'} ${source} ${selector}`
}

const describing = operationBits(['DescribeKey']) ?? 0

/** The index keys of an entry. Of several pairs, the one with the fewest entries separates it best. */
function placesOf(
  terms: GrantTerms,
  filed: ReadonlyMap<string, Entry | Set<Entry>>,
): readonly string[] {
  const { granteeId, own, source, operations } = terms
  const place = (selector: string): string => placeOf(granteeId, own, source, selector)
  const crowd = (name: string): number => {
    const entries = filed.get(name)
    return entries instanceof Set ? entries.size : entries === undefined ? 0 : 1
  }
  const [first, ...others] = contextSelectors(terms).map(place)
  let best = first ?? ''
  for (const other of others) if (crowd(other) < crowd(best)) best = other
  return (operations & describing) === 0 ? [best] : [best, place(describeSelector)]
}

function* placesAsked(asked: AskedTerms, granteeId: string): Generator<string> {
  for (const own of [true, false]) {
    for (const source of asked.sources) {
      for (const selector of asked.selectors()) yield placeOf(granteeId, own, source, selector)
    }
  }
}

function file(filed: Map<string, Entry | Set<Entry>>, place: string, entry: Entry): void {
  const there = filed.get(place)
  if (there === undefined) filed.set(place, entry)
  else if (there instanceof Set) there.add(entry)
  else filed.set(place, new Set([there, entry]))
}

function unfile(filed: Map<string, Entry | Set<Entry>>, place: string, entry: Entry): void {
  const there = filed.get(place)
  if (!(there instanceof Set)) {
    filed.delete(place)
    return
  }
  there.delete(entry)
  if (there.size === 0) filed.delete(place)
}

function bytesOf({ name, places }: Entry): number {
  const characters = places.reduce((sum, { length }) => sum + length, name.length)
  // A text with one wide character takes two bytes for each character.
  const wide = /[^\0-\xff]/.test(name)
  return entryBytes + placeBytes * places.length + characters * (wide ? 2 : 1)
}
