/**
 * Cached sets of grants, one for each key and grantee. A set is read once, patched by changes, and
 * evicted when memory runs out. The call that needs a small set reads it; a large set is read in
 * the background.
 * @module
 */
import { createGrantSet, type GrantSet } from '../policy/grant-set.ts'
import { granteeOf } from '../model/grant.ts'
import { termsOf } from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import type { Store } from '../store/store.ts'
import { createRecent, type Recent } from '../model/recent.ts'
import type { ReadGrants } from './read-grants.ts'

/** Names the set of grants of one key to one grantee. */
export interface GrantSetRef {
  readonly key: KeyRef
  readonly grantee: string
  readonly name: string
}

export function grantSetRef({ accountId, region, keyId }: KeyRef, grantee: string): GrantSetRef {
  const key = { accountId, region, keyId }
  return { key, grantee, name: `${prefixOf(key)}${grantee}` }
}

/** The slash separates: no account, Region or key id contains one. */
function prefixOf({ accountId, region, keyId }: KeyRef): string {
  return `${accountId}/${region}/${keyId}/`
}

export interface GrantSetsLimits {
  /** A set of at most this many grants is small: the call that first needs it reads it. */
  readonly fewMax: number
  /** Bytes of memory for small sets, and for large ones. */
  readonly fewBytesMax: number
  readonly manyBytesMax: number
  /**
   * Calls answered without a large set before it is read. Reading it costs as much as many calls,
   * so where sets are evicted soon, few are read.
   */
  readonly callsBeforeReading: number
}

const defaults: GrantSetsLimits = {
  fewMax: 100,
  fewBytesMax: 16 * 2 ** 20,
  manyBytesMax: 96 * 2 ** 20,
  callsBeforeReading: 64,
}

/**
 * Bytes of an empty set with its name. Any caller can ask for a set of any key, so these count too.
 */
const emptyBytes = 512
const markerBytes = 256
const patchedAtOnce = 100

export interface GrantSetsDependencies {
  readonly store: Pick<Store, 'listGrants' | 'findGrants'>
  readonly readGrants: ReadGrants
  /** Called when a set could not be read in the background. */
  readonly onError: (error: Error) => void
  readonly limits?: Partial<GrantSetsLimits>
}

/** A set that is being read. */
interface Reading {
  readonly name: string
  /** Grants that changed during the read: their rows may have been read before the change. */
  readonly changed: Set<string>
  /** If true, everything read may be out of date. */
  dropped: boolean
}

interface FirstReading extends Reading {
  /** Resolves to undefined if the set is large. */
  set?: Promise<GrantSet | undefined>
}

/** Marks a grantee with many grants. */
interface Many {
  calls: number
  /** If true, the set does not fit into memory and is not read again. */
  tooLarge: boolean
}

export interface GrantSets {
  readonly dependencies: GrantSetsDependencies
  readonly limits: GrantSetsLimits
  readonly few: Recent<GrantSet>
  readonly large: Recent<GrantSet>
  readonly many: Recent<Many>
  readonly first: Map<string, FirstReading>
  /** The large set that is being read; one at a time. */
  whole: Reading | undefined
}

export function createGrantSets(dependencies: GrantSetsDependencies): GrantSets {
  const limits = { ...defaults, ...dependencies.limits }
  return {
    dependencies,
    limits,
    few: createRecent(limits.fewBytesMax),
    large: createRecent(limits.manyBytesMax),
    many: createRecent(2 ** 20),
    first: new Map(),
    whole: undefined,
  }
}

/** Returns the set if it is cached. */
export function cachedSet({ few, large }: GrantSets, { name }: GrantSetRef): GrantSet | undefined {
  return few.get(name) ?? large.get(name)
}

/** Reads a small set. Returns undefined for a large one. */
export function smallSet(
  sets: GrantSets,
  ref: GrantSetRef,
): Promise<GrantSet | undefined> | undefined {
  if (sets.many.get(ref.name) !== undefined) return undefined
  const underWay = sets.first.get(ref.name)
  if (underWay?.set !== undefined) return underWay.set
  const reading: FirstReading = newReading(ref)
  sets.first.set(ref.name, reading)
  reading.set = readFirst(sets, ref, reading).finally(() => {
    if (sets.first.get(ref.name) === reading) sets.first.delete(ref.name)
  })
  return reading.set
}

/**
 * Counts a call that was answered without its large set. After enough of them, reads the set in the
 * background.
 */
export function countWithout(sets: GrantSets, ref: GrantSetRef): void {
  const marker = sets.many.get(ref.name)
  if (marker === undefined || marker.tooLarge) return
  marker.calls += 1
  if (sets.whole !== undefined || marker.calls < sets.limits.callsBeforeReading) return
  marker.calls = 0
  readWhole(sets, ref, marker).catch(sets.dependencies.onError)
}

/** Records that a grant changed. @returns the cached set to patch, if there is one */
export function noteChanged(
  sets: GrantSets,
  ref: GrantSetRef,
  grantId: string,
): GrantSet | undefined {
  sets.first.get(ref.name)?.changed.add(grantId)
  if (sets.whole?.name === ref.name) sets.whole.changed.add(grantId)
  return cachedSet(sets, ref)
}

/** Reads the given grants of a cached set again. */
export async function patchSet(
  sets: GrantSets,
  ref: GrantSetRef,
  set: GrantSet,
  grantIds: ReadonlySet<string>,
): Promise<void> {
  try {
    await readAgain(sets, ref, set, grantIds)
  } catch (error) {
    forget(sets, ref.name)
    throw error
  }
  // A set that was dropped during the read stays dropped.
  if (cachedSet(sets, ref) === set) keep(sets, ref.name, set)
}

/** Drops the sets of a key, or all sets. */
export function forgetSets(sets: GrantSets, key?: KeyRef): void {
  const prefix = key === undefined ? '' : prefixOf(key)
  for (const recent of [sets.few, sets.large, sets.many]) {
    for (const [name] of recent.entries()) if (name.startsWith(prefix)) recent.delete(name)
  }
  for (const reading of sets.first.values()) {
    if (!reading.name.startsWith(prefix)) continue
    reading.dropped = true
    sets.first.delete(reading.name)
  }
  if (sets.whole?.name.startsWith(prefix)) sets.whole.dropped = true
}

function newReading({ name }: GrantSetRef): Reading {
  return { name, changed: new Set(), dropped: false }
}

function forget({ few, large }: GrantSets, name: string): void {
  few.delete(name)
  large.delete(name)
}

function keep(sets: GrantSets, name: string, set: GrantSet): void {
  forget(sets, name)
  const home = set.size() > sets.limits.fewMax ? sets.large : sets.few
  home.set(name, set, emptyBytes + set.bytes() + 2 * name.length)
}

async function readFirst(
  sets: GrantSets,
  ref: GrantSetRef,
  reading: Reading,
): Promise<GrantSet | undefined> {
  const { fewMax } = sets.limits
  const { key, grantee, name } = ref
  const page = await sets.dependencies.store.listGrants(key, { grantee, limit: fewMax + 1 })
  if (page.length > fewMax) {
    const marker = { calls: 0, tooLarge: false }
    if (!reading.dropped) sets.many.set(name, marker, markerBytes + 2 * name.length)
    return undefined
  }
  const set = createGrantSet()
  for (const grant of page) set.put(termsOf(grant))
  await takeInChanged(sets, ref, set, reading)
  if (!reading.dropped) keep(sets, name, set)
  return set
}

async function readWhole(sets: GrantSets, ref: GrantSetRef, marker: Many): Promise<void> {
  const reading = newReading(ref)
  sets.whole = reading
  try {
    const set = createGrantSet()
    const fits = (): boolean => !reading.dropped && set.bytes() <= sets.limits.manyBytesMax
    await sets.dependencies.readGrants(ref.key, ref.grantee, (page) => {
      for (const terms of page) set.put(terms)
      return fits()
    })
    if (fits()) await takeInChanged(sets, ref, set, reading)
    if (fits()) keep(sets, ref.name, set)
    else marker.tooLarge = !reading.dropped
  } finally {
    sets.whole = undefined
  }
}

/** Reads the grants that changed during the read of a set, until none changed any more. */
async function takeInChanged(
  sets: GrantSets,
  ref: GrantSetRef,
  set: GrantSet,
  reading: Reading,
): Promise<void> {
  while (reading.changed.size > 0 && !reading.dropped) {
    const grantIds = new Set(reading.changed)
    reading.changed.clear()
    await readAgain(sets, ref, set, grantIds)
  }
}

async function readAgain(
  { dependencies: { store } }: GrantSets,
  { key, grantee }: GrantSetRef,
  set: GrantSet,
  grantIds: ReadonlySet<string>,
): Promise<void> {
  const ids = [...grantIds]
  for (let start = 0; start < ids.length; start += patchedAtOnce) {
    const some = ids.slice(start, start + patchedAtOnce)
    const found = await store.findGrants(key, some)
    const present = new Map(found.map((grant) => [grant.grantId, grant]))
    for (const grantId of some) {
      const grant = present.get(grantId)
      if (grant !== undefined && granteeOf(grant) === grantee) set.put(termsOf(grant))
      else set.delete(grantId)
    }
  }
}
