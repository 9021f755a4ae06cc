/**
 * The grants that calls are decided by: from the set in memory where there is one, otherwise from the store's
 * buckets. Either way the cost of a call does not depend on how many grants its caller has.
 * @see docs/adr/0026-grants-at-scale.md
 * @module
 */
import type { GrantName } from '../policy/caller-names.ts'
import type { Grant } from '../policy/decision.ts'
import type { FoundGrant, GrantSet } from '../policy/grant-set.ts'
import {
  askedTerms,
  operationNames,
  type AskedTerms,
  type GrantQuestion,
} from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import { readGrantChangeId, type Change } from '../store/change.ts'
import type { Store } from '../store/store.ts'
import {
  countWithout,
  createGrantSets,
  forgetSets,
  cachedSet,
  noteChanged,
  patchSet,
  placeOf,
  smallSet,
  type GrantSets,
  type GrantSetsPorts,
  type Place,
} from './grant-sets.ts'
import { findInBuckets } from './grants-in-buckets.ts'

export interface CachedGrants {
  /** Grants of the key to the grantee that give what is asked, at most `most`. */
  find(
    key: KeyRef,
    name: GrantName,
    question: GrantQuestion,
    most: number,
  ): readonly Grant[] | Promise<readonly Grant[]>
  /** Takes in changes of grants, in their order. Nothing to wait for when no set in memory is concerned. */
  apply(changes: readonly Change[]): Promise<void> | undefined
  clear(): void
  /** Since the start. */
  readonly counts: { readonly hits: number; readonly misses: number }
}

export interface CachedGrantsPorts extends GrantSetsPorts {
  readonly store: GrantSetsPorts['store'] & Pick<Store, 'grantsInBuckets'>
  /** Hears of a question that was given up: its call is refused unless something else allows it. */
  readonly onUndecided: (key: KeyRef, grantee: string) => void
}

export function createCachedGrants(ports: CachedGrantsPorts): CachedGrants {
  const sets = createGrantSets(ports)
  const counts = { hits: 0, misses: 0 }
  const answer = (
    found: readonly FoundGrant[] | undefined,
    { key }: Place,
    name: GrantName,
  ): readonly Grant[] => {
    if (found === undefined) ports.onUndecided(key, name.grantee)
    return (found ?? []).map((grant) => grantTo(name, grant))
  }
  const findInStore = async (
    place: Place,
    name: GrantName,
    asked: AskedTerms,
    most: number,
  ): Promise<readonly Grant[]> => {
    const small = await smallSet(sets, place)
    if (small !== undefined) return answer(small.find(asked, name.granteeId, most), place, name)
    countWithout(sets, place)
    return answer(await findInBuckets(place.key, name, asked, most, ports.store), place, name)
  }
  return {
    counts,
    find(key, name, question, most) {
      const asked = askedTerms(question)
      if (asked === undefined) return []
      const place = placeOf(key, name.grantee)
      const set = cachedSet(sets, place)
      if (set === undefined) {
        counts.misses += 1
        return findInStore(place, name, asked, most)
      }
      counts.hits += 1
      return answer(set.find(asked, name.granteeId, most), place, name)
    },
    apply(changes) {
      const patches = patchesFor(changes, sets)
      if (patches.length === 0) return undefined
      const patched = patches.map(({ set, grantIds, ...place }) =>
        patchSet(sets, place, set, grantIds),
      )
      return Promise.all(patched).then(() => undefined)
    },
    clear: () => forgetSets(sets),
  }
}

interface Patch extends Place {
  readonly set: GrantSet
  readonly grantIds: Set<string>
}

/** The sets in memory that changes concern, with the grants to read again. */
function patchesFor(changes: readonly Change[], sets: GrantSets): readonly Patch[] {
  const patches = new Map<string, Patch>()
  for (const { kind, accountId, region, id } of changes) {
    if (kind !== 'grant') continue
    const { keyId, grantId, grantee = '' } = readGrantChangeId(id)
    const key = { accountId, region, keyId }
    if (grantId === undefined) {
      // The key is deleted.
      forgetSets(sets, key)
      continue
    }
    const place = placeOf(key, grantee)
    const set = noteChanged(sets, place, grantId)
    if (set === undefined) continue
    const patch = patches.get(place.name) ?? { ...place, set, grantIds: new Set() }
    patch.grantIds.add(grantId)
    patches.set(place.name, patch)
  }
  return [...patches.values()]
}

function grantTo({ grantee, granteeId }: GrantName, found: FoundGrant): Grant {
  const { grantId, operations, issuingAccountId } = found
  return {
    grantId,
    operations: operationNames(operations),
    ...(granteeId === ''
      ? { granteeServicePrincipal: grantee }
      : { granteePrincipal: grantee, granteeId }),
    issuingAccountId,
  }
}
