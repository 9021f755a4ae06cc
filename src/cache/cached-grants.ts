/**
 * Finds the grants that decide a call: in the cached set if there is one, otherwise in the store's
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
  grantSetRef,
  smallSet,
  type GrantSets,
  type GrantSetsDependencies,
  type GrantSetRef,
} from './grant-sets.ts'
import { findInBuckets } from './grants-in-buckets.ts'

export interface CachedGrants {
  /** Returns at most `most` grants of the key to the grantee that allow what the question asks. */
  find(
    key: KeyRef,
    name: GrantName,
    question: GrantQuestion,
    most: number,
  ): readonly Grant[] | Promise<readonly Grant[]>
  /** Applies changes of grants in order. Returns undefined if no cached set is affected. */
  apply(changes: readonly Change[]): Promise<void> | undefined
  clear(): void
  /** Counted since the start. */
  readonly counts: { readonly hits: number; readonly misses: number }
}

export interface CachedGrantsDependencies extends GrantSetsDependencies {
  readonly store: GrantSetsDependencies['store'] & Pick<Store, 'grantsInBuckets'>
  /** Called when a question is given up. Its call is refused unless something else allows it. */
  readonly onUndecided: (key: KeyRef, grantee: string) => void
}

export function createCachedGrants(dependencies: CachedGrantsDependencies): CachedGrants {
  const sets = createGrantSets(dependencies)
  const counts = { hits: 0, misses: 0 }
  const answer = (
    found: readonly FoundGrant[] | undefined,
    { key }: GrantSetRef,
    name: GrantName,
  ): readonly Grant[] => {
    if (found === undefined) dependencies.onUndecided(key, name.grantee)
    return (found ?? []).map((grant) => grantTo(name, grant))
  }
  const findInStore = async (
    ref: GrantSetRef,
    name: GrantName,
    asked: AskedTerms,
    most: number,
  ): Promise<readonly Grant[]> => {
    const small = await smallSet(sets, ref)
    if (small !== undefined) return answer(small.find(asked, name.granteeId, most), ref, name)
    countWithout(sets, ref)
    return answer(await findInBuckets(ref.key, name, asked, most, dependencies.store), ref, name)
  }
  return {
    counts,
    find(key, name, question, most) {
      const asked = askedTerms(question)
      if (asked === undefined) return []
      const ref = grantSetRef(key, name.grantee)
      const set = cachedSet(sets, ref)
      if (set === undefined) {
        counts.misses += 1
        return findInStore(ref, name, asked, most)
      }
      counts.hits += 1
      return answer(set.find(asked, name.granteeId, most), ref, name)
    },
    apply(changes) {
      const patches = patchesFor(changes, sets)
      if (patches.length === 0) return undefined
      const patched = patches.map(({ set, grantIds, ...ref }) => patchSet(sets, ref, set, grantIds))
      return Promise.all(patched).then(() => undefined)
    },
    clear: () => forgetSets(sets),
  }
}

interface Patch extends GrantSetRef {
  readonly set: GrantSet
  readonly grantIds: Set<string>
}

/** The cached sets that the changes affect, with the grants to read again. */
function patchesFor(changes: readonly Change[], sets: GrantSets): readonly Patch[] {
  const patches = new Map<string, Patch>()
  for (const { kind, accountId, region, id } of changes) {
    if (kind !== 'grant') continue
    const { keyId, grantId, grantee = '' } = readGrantChangeId(id)
    const key = { accountId, region, keyId }
    if (grantId === undefined) {
      // A change without a grant id means that the key is deleted.
      forgetSets(sets, key)
      continue
    }
    const ref = grantSetRef(key, grantee)
    const set = noteChanged(sets, ref, grantId)
    if (set === undefined) continue
    const patch = patches.get(ref.name) ?? { ...ref, set, grantIds: new Set() }
    patch.grantIds.add(grantId)
    patches.set(ref.name, patch)
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
