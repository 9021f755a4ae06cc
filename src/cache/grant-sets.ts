/**
 * Sets of grants in memory, one for each key and grantee: read once, patched by changes, and let go when
 * there is no room. A set of few grants is read by the call that needs it, a larger one in the background.
 * @module
 */
import { createGrantSet, type GrantSet } from '../policy/grant-set.ts'
import { granteeOf } from '../model/grant.ts'
import { termsOf } from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import type { Store } from '../store/store.ts'
import { createRecent, type Recent } from './cache.ts'
import type { ReadGrants } from './grant-reader.ts'

/** A key and a grantee. */
export interface Place {
  readonly key: KeyRef
  readonly grantee: string
  readonly name: string
}

export function placeOf({ accountId, region, keyId }: KeyRef, grantee: string): Place {
  const key = { accountId, region, keyId }
  return { key, grantee, name: `${prefixOf(key)}${grantee}` }
}

/** No account, Region or key id holds a slash. */
function prefixOf({ accountId, region, keyId }: KeyRef): string {
  return `${accountId}/${region}/${keyId}/`
}

export interface GrantSetsLimits {
  /** Grants that are read at once by the call that first needs them. */
  readonly fewMax: number
  /** Bytes of memory for sets of at most so many grants, and for larger ones. */
  readonly fewBytesMax: number
  readonly manyBytesMax: number
  /**
   * Calls that are answered without the set before it is read. Reading costs as much as many calls: where
   * sets are let go soon, few of them are read.
   */
  readonly callsBeforeReading: number
}

const defaults: GrantSetsLimits = {
  fewMax: 100,
  fewBytesMax: 16 * 2 ** 20,
  manyBytesMax: 96 * 2 ** 20,
  callsBeforeReading: 64,
}

/** A set without a grant, with its name: any caller can ask for one of any key. */
const emptyBytes = 512
const markerBytes = 256
const patchedAtOnce = 100

export interface GrantSetsPorts {
  readonly store: Pick<Store, 'listGrants' | 'findGrants'>
  readonly readGrants: ReadGrants
  /** Hears that a set could not be read in the background. */
  readonly onError: (error: Error) => void
  readonly limits?: Partial<GrantSetsLimits>
}

/** A set that is being read. */
interface Reading {
  readonly name: string
  /** Grants that were changed meanwhile: what was read of them may be older. */
  readonly changed: Set<string>
  /** All that is read may be older. */
  dropped: boolean
}

interface FirstReading extends Reading {
  /** Undefined for a set of many. */
  set?: Promise<GrantSet | undefined>
}

/** A grantee with many grants. */
interface Many {
  calls: number
  /** There is no room for the set. */
  tooLarge: boolean
}

export interface GrantSets {
  readonly ports: GrantSetsPorts
  readonly limits: GrantSetsLimits
  readonly few: Recent<GrantSet>
  readonly large: Recent<GrantSet>
  readonly many: Recent<Many>
  readonly first: Map<string, FirstReading>
  /** One at a time is read whole. */
  whole: Reading | undefined
}

export function createGrantSets(ports: GrantSetsPorts): GrantSets {
  const limits = { ...defaults, ...ports.limits }
  return {
    ports,
    limits,
    few: createRecent(limits.fewBytesMax),
    large: createRecent(limits.manyBytesMax),
    many: createRecent(2 ** 20),
    first: new Map(),
    whole: undefined,
  }
}

/** The set, when it is in memory. */
export function cachedSet({ few, large }: GrantSets, { name }: Place): GrantSet | undefined {
  return few.get(name) ?? large.get(name)
}

/** The set, read first when it has few grants; undefined when it has many. */
export function smallSet(sets: GrantSets, place: Place): Promise<GrantSet | undefined> | undefined {
  if (sets.many.get(place.name) !== undefined) return undefined
  const underWay = sets.first.get(place.name)
  if (underWay?.set !== undefined) return underWay.set
  const reading: FirstReading = newReading(place)
  sets.first.set(place.name, reading)
  reading.set = readFirst(sets, place, reading).finally(() => {
    if (sets.first.get(place.name) === reading) sets.first.delete(place.name)
  })
  return reading.set
}

/** Counts a call that was answered without the set of many: after some the set is read. */
export function countWithout(sets: GrantSets, place: Place): void {
  const marker = sets.many.get(place.name)
  if (marker === undefined || marker.tooLarge) return
  marker.calls += 1
  if (sets.whole !== undefined || marker.calls < sets.limits.callsBeforeReading) return
  marker.calls = 0
  readWhole(sets, place, marker).catch(sets.ports.onError)
}

/** Notes that a grant was changed. @returns the set to patch, when one is in memory */
export function noteChanged(sets: GrantSets, place: Place, grantId: string): GrantSet | undefined {
  sets.first.get(place.name)?.changed.add(grantId)
  if (sets.whole?.name === place.name) sets.whole.changed.add(grantId)
  return cachedSet(sets, place)
}

/** Reads grants of a set in memory again. */
export async function patchSet(
  sets: GrantSets,
  place: Place,
  set: GrantSet,
  grantIds: ReadonlySet<string>,
): Promise<void> {
  try {
    await readAgain(sets, place, set, grantIds)
  } catch (error) {
    forget(sets, place.name)
    throw error
  }
  // One that was forgotten meanwhile stays so.
  if (cachedSet(sets, place) === set) keep(sets, place.name, set)
}

/** Forgets the sets of a key, or all of them. */
export function forgetSets(sets: GrantSets, key?: KeyRef): void {
  const prefix = key === undefined ? '' : prefixOf(key)
  for (const recent of [sets.few, sets.large, sets.many]) {
    for (const name of recent.keys()) if (name.startsWith(prefix)) recent.delete(name)
  }
  for (const reading of sets.first.values()) {
    if (!reading.name.startsWith(prefix)) continue
    reading.dropped = true
    sets.first.delete(reading.name)
  }
  if (sets.whole?.name.startsWith(prefix)) sets.whole.dropped = true
}

function newReading({ name }: Place): Reading {
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
  place: Place,
  reading: Reading,
): Promise<GrantSet | undefined> {
  const { fewMax } = sets.limits
  const { key, grantee, name } = place
  const page = await sets.ports.store.listGrants(key, { grantee, limit: fewMax + 1 })
  if (page.length > fewMax) {
    const marker = { calls: 0, tooLarge: false }
    if (!reading.dropped) sets.many.set(name, marker, markerBytes + 2 * name.length)
    return undefined
  }
  const set = createGrantSet()
  for (const grant of page) set.put(termsOf(grant))
  await takeInChanged(sets, place, set, reading)
  if (!reading.dropped) keep(sets, name, set)
  return set
}

async function readWhole(sets: GrantSets, place: Place, marker: Many): Promise<void> {
  const reading = newReading(place)
  sets.whole = reading
  try {
    const set = createGrantSet()
    const fits = (): boolean => !reading.dropped && set.bytes() <= sets.limits.manyBytesMax
    await sets.ports.readGrants(place.key, place.grantee, (page) => {
      for (const terms of page) set.put(terms)
      return fits()
    })
    if (fits()) await takeInChanged(sets, place, set, reading)
    if (fits()) keep(sets, place.name, set)
    else marker.tooLarge = !reading.dropped
  } finally {
    sets.whole = undefined
  }
}

/** Reads what was changed while a set was read, until nothing more was. */
async function takeInChanged(
  sets: GrantSets,
  place: Place,
  set: GrantSet,
  reading: Reading,
): Promise<void> {
  while (reading.changed.size > 0 && !reading.dropped) {
    const grantIds = new Set(reading.changed)
    reading.changed.clear()
    await readAgain(sets, place, set, grantIds)
  }
}

async function readAgain(
  { ports: { store } }: GrantSets,
  { key, grantee }: Place,
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
