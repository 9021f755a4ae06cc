/**
 * A small model of a KMS key's life: one key, or a multi-Region key with its replicas. It knows the
 * states of AWS's table, the state of each material, and the effects of time; the effects of calls are
 * in `life-calls.ts`.
 *
 * It shares no code with the implementation that it is compared with.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * @module
 */
import assert from 'node:assert/strict'
import type { KeySpec, KeyState, KeyUsageType } from '@aws-sdk/client-kms'

export const dayMs = 86_400_000
/** How long a passing state or rotation is shown, by the clock. */
export const passingMs = 250

export interface Kind {
  readonly spec: KeySpec
  readonly usage: KeyUsageType
  readonly origin: 'AWS_KMS' | 'EXTERNAL'
  readonly multiRegion: boolean
}

export interface Material {
  readonly name: string
  role: 'CURRENT' | 'NON_CURRENT' | 'WAITING'
  /** The expiry by the Region that imported it; generated material is in every Region. */
  readonly imported: Map<string, number>
  /** The expiry dates of material that has expired there and was not imported again. */
  readonly expired: Map<string, number>
}

export interface ModelKey {
  state: KeyState
  /** The beginning of Creating or Updating. */
  since: number | undefined
  deletesAt: number | undefined
  windowDays: number
}

export interface Life {
  readonly kind: Kind
  now: number
  /** The related keys, by Region. */
  readonly keys: Map<string, ModelKey>
  /** The Region of the primary key. */
  primary: string
  schedule: { readonly days: number; readonly next: number } | undefined
  /** The beginning of a rotation on demand. */
  startedAt: number | undefined
  onDemand: number
  /** Whether the key can rotate to the waiting material. */
  ready: boolean
  materials: Material[]
  /** Events of the service: name and Region. */
  readonly events: string[]
}

/** A key right after its creation. */
export function born(kind: Kind, place: string, now: number): Life {
  const made = kind.origin === 'AWS_KMS'
  return {
    kind,
    now,
    keys: new Map([[place, modelKey(made ? 'Enabled' : 'PendingImport')]]),
    primary: place,
    schedule: undefined,
    startedAt: undefined,
    onDemand: 0,
    ready: false,
    materials: made
      ? [{ name: 'made-1', role: 'CURRENT', imported: new Map(), expired: new Map() }]
      : [],
    events: [],
  }
}

export function modelKey(state: KeyState, since?: number): ModelKey {
  return { state, since, deletesAt: undefined, windowDays: 0 }
}

export function keyIn({ keys }: Life, place: string): ModelKey {
  return keys.get(place) ?? assert.fail(`no key in ${place}`)
}

export const needed = ({ materials }: Life): readonly Material[] =>
  materials.filter(({ role }) => role !== 'WAITING')

export const waiting = ({ materials }: Life): Material | undefined =>
  materials.find(({ role }) => role === 'WAITING')

/** Whether the Region's key has all material that its ciphertexts may need. */
export function complete(life: Life, place: string): boolean {
  if (life.kind.origin === 'AWS_KMS') return true
  const all = needed(life)
  return all.length > 0 && all.every(({ imported }) => imported.has(place))
}

/**
 * A key that lacks material is pending import, unless it is pending deletion or still being created.
 */
export function settle(life: Life, place: string): void {
  const key = keyIn(life, place)
  const left = ['Enabled', 'Disabled', 'Updating'].includes(key.state)
  if (left && !complete(life, place)) key.state = 'PendingImport'
}

/** A multi-Region key can rotate to waiting material when all Regions have it. */
export function settleWaiting(life: Life): void {
  if (!life.kind.multiRegion || life.startedAt !== undefined) return
  const material = waiting(life)
  life.ready = [...life.keys.keys()].every((place) => material?.imported.has(place))
}

/** Copies shared columns to the replicas. */
export function synchronize(life: Life): void {
  if (life.keys.size > 1) life.events.push(`SynchronizeMultiRegionKey ${life.primary}`)
}

/** The next time at which something becomes due; undefined if nothing does. */
export function nextDate({ now, keys, materials, schedule }: Life): number | undefined {
  const dates = [
    ...[...keys.values()].flatMap(({ deletesAt = Infinity }) => deletesAt),
    ...materials.flatMap(({ imported }) => [...imported.values()]),
    schedule?.next ?? Infinity,
  ]
  const soonest = Math.min(...dates.filter((date) => date > now))
  return soonest === Infinity ? undefined : soonest
}

/** Advances the time, and does everything that is due by then. */
export function pass(life: Life, now: number): void {
  life.now = now
  endTransitions(life)
  deleteKeys(life)
  expire(life)
  if (life.keys.size === 0) return
  finishOnDemand(life)
  rotateOnSchedule(life)
}

function endTransitions(life: Life): void {
  const { now, keys, primary } = life
  for (const [place, key] of keys) {
    if (key.since === undefined || (key.since <= now && now - key.since < passingMs)) continue
    if (key.state === 'Creating') life.events.push(`SynchronizeMultiRegionKey ${primary}`)
    key.state = complete(life, place) ? 'Enabled' : 'PendingImport'
    key.since = undefined
  }
}

function deleteKeys(life: Life): void {
  const { now, keys } = life
  for (const [place, key] of keys) {
    if (key.state !== 'PendingDeletion' || (key.deletesAt ?? Infinity) > now) continue
    keys.delete(place)
    life.events.push(`DeleteKey ${place}`)
    for (const { imported, expired } of life.materials) {
      imported.delete(place)
      expired.delete(place)
    }
    settleWaiting(life)
  }
  const last = keys.size === 1 ? keys.get(life.primary) : undefined
  if (last?.state !== 'PendingReplicaDeletion') return
  last.state = 'PendingDeletion'
  last.deletesAt = now + last.windowDays * dayMs
}

function expire(life: Life): void {
  for (const { imported, expired } of life.materials) {
    for (const [place, validTo] of imported) {
      if (validTo > life.now) continue
      imported.delete(place)
      expired.set(place, validTo)
      life.events.push(`DeleteExpiredKeyMaterial ${place}`)
      settle(life, place)
    }
  }
}

function finishOnDemand(life: Life): void {
  const { now, startedAt, kind } = life
  if (startedAt === undefined || (startedAt <= now && now - startedAt < passingMs)) return
  life.startedAt = undefined
  const next = kind.origin === 'AWS_KMS' ? madeMaterial(life) : waiting(life)
  if (next === undefined || (kind.origin === 'EXTERNAL' && !life.ready)) return synchronize(life)
  life.onDemand += 1
  rotate(life, next)
}

function rotateOnSchedule(life: Life): void {
  const { now, schedule } = life
  if (schedule === undefined || schedule.next > now) return
  if (keyIn(life, life.primary).state !== 'Enabled') return
  const { days, next } = schedule
  const onSchedule = next + days * dayMs
  life.schedule = { days, next: onSchedule > now ? onSchedule : now + days * dayMs }
  rotate(life, madeMaterial(life))
}

function madeMaterial({ materials }: Life): Material {
  return {
    name: `made-${materials.length + 1}`,
    role: 'WAITING',
    imported: new Map(),
    expired: new Map(),
  }
}

function rotate(life: Life, next: Material): void {
  for (const each of life.materials) if (each.role === 'CURRENT') each.role = 'NON_CURRENT'
  next.role = 'CURRENT'
  life.materials = [...life.materials.filter((each) => each !== next), next]
  synchronize(life)
  life.events.push(`RotateKey ${life.primary}`)
  for (const place of life.keys.keys()) settle(life, place)
}
