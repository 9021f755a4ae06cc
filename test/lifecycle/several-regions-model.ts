/** A small model of the key-state table and of the jobs, for a multi-Region key in several Regions. @module */
import assert from 'node:assert/strict'
import type { KeyState } from '../../src/model/key.ts'
import type { KeyRegion } from './several-regions.ts'

export const dayMs = 86_400_000

export interface ModelKey {
  state: KeyState
  since: number | undefined
  deletesAt: number | undefined
  window: number
}

/** The state of the key: separate in each Region, and shared. */
export interface Model {
  now: number
  readonly keys: Map<KeyRegion, ModelKey>
  primary: KeyRegion
  schedule: { days: number; next: number } | undefined
  startedAt: number | undefined
  rotations: number
  onDemand: number
}

/** The code of a refusal; undefined for a success. */
type Outcome = string | undefined
type Call = (
  model: Model,
  place: KeyRegion,
  given: { readonly to: KeyRegion; readonly days: number },
) => Outcome

const invalid = 'KMSInvalidStateException'
const unsupported = 'UnsupportedOperationException'
const usable: readonly KeyState[] = ['Enabled', 'Updating']
const dying: readonly KeyState[] = ['PendingDeletion', 'PendingReplicaDeletion']

function keyIn({ keys }: Model, place: KeyRegion): ModelKey {
  return keys.get(place) ?? assert.fail('no key')
}

/** The error in a state that is not allowed. */
function refusal({ state }: ModelKey, allowed: readonly KeyState[]): Outcome {
  if (allowed.includes(state)) return undefined
  return state === 'Disabled' ? 'DisabledException' : invalid
}

function become(allowed: readonly KeyState[], state: KeyState): Call {
  return (model, place) => {
    const key = keyIn(model, place)
    const refused = refusal(key, allowed)
    if (refused === undefined) key.state = state
    return refused
  }
}

/** A change that only the primary key can make. */
function onPrimary(change: (model: Model, days: number) => Outcome): Call {
  return (model, place, { days }) => {
    const refused = refusal(keyIn(model, place), usable)
    if (refused !== undefined) return refused
    return place === model.primary ? change(model, days) : unsupported
  }
}

export const calls: Readonly<Record<string, Call>> = {
  EnableKey: become(['Enabled', 'Disabled'], 'Enabled'),
  DisableKey: become(['Enabled', 'Disabled'], 'Disabled'),
  CancelKeyDeletion(model, place) {
    const key = keyIn(model, place)
    if (!dying.includes(key.state)) return invalid
    Object.assign(key, { state: 'Disabled', deletesAt: undefined })
    return undefined
  },
  ScheduleKeyDeletion(model, place, { days }) {
    const key = keyIn(model, place)
    if (dying.includes(key.state) || key.state === 'Updating') return invalid
    const waits = place === model.primary && model.keys.size > 1
    key.state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion'
    key.window = days
    key.deletesAt = waits ? undefined : model.now + days * dayMs
    key.since = undefined
    return undefined
  },
  EnableKeyRotation: onPrimary((model, days) => {
    const period = 90 + days
    if (model.schedule?.days !== period) {
      model.schedule = { days: period, next: model.now + period * dayMs }
    }
    return undefined
  }),
  DisableKeyRotation: onPrimary((model) => {
    model.schedule = undefined
    return undefined
  }),
  RotateKeyOnDemand: onPrimary((model) => {
    if (model.startedAt !== undefined) return undefined
    if (model.onDemand >= 25) return 'LimitExceededException'
    const { schedule, now } = model
    if (schedule !== undefined && schedule.next - now <= 1_200_000) return 'ConflictException'
    model.startedAt = now
    return undefined
  }),
  ReplicateKey(model, place, { to }) {
    const refused = refusal(keyIn(model, place), ['Enabled'])
    if (refused !== undefined) return refused
    if (place !== model.primary) return unsupported
    if (to === place) return 'ValidationException'
    if (model.keys.has(to)) return 'AlreadyExistsException'
    model.keys.set(to, { state: 'Creating', since: model.now, deletesAt: undefined, window: 0 })
    return undefined
  },
  UpdatePrimaryRegion(model, place, { to }) {
    const key = keyIn(model, place)
    const next = to === place ? undefined : model.keys.get(to)
    const refused = refusal(key, usable) ?? (next && refusal(next, usable))
    if (refused !== undefined) return refused
    if (place !== model.primary) return invalid
    if (to === place) return undefined
    if (next === undefined) return 'ValidationException'
    for (const each of [key, next]) Object.assign(each, { state: 'Updating', since: model.now })
    model.primary = to
    return undefined
  },
}

/** The effects of one round of the jobs, in order. */
export function jobs(model: Model): void {
  const { now, keys } = model
  for (const key of keys.values()) {
    if (key.since === undefined) continue
    if (key.since <= now && now - key.since < 250) continue
    Object.assign(key, { state: 'Enabled', since: undefined })
  }
  for (const [place, key] of keys) {
    if (key.state === 'PendingDeletion' && (key.deletesAt ?? Infinity) <= now) keys.delete(place)
  }
  const primary = keys.get(model.primary)
  if (primary === undefined) return
  if (primary.state === 'PendingReplicaDeletion' && keys.size === 1) {
    primary.state = 'PendingDeletion'
    primary.deletesAt = now + primary.window * dayMs
  }
  const { startedAt } = model
  if (startedAt !== undefined && !(startedAt <= now && now - startedAt < 250)) {
    model.startedAt = undefined
    model.rotations += 1
    model.onDemand += 1
  }
  const { schedule } = model
  if (schedule !== undefined && schedule.next <= now && primary.state === 'Enabled') {
    const onSchedule = schedule.next + schedule.days * dayMs
    schedule.next = onSchedule > now ? onSchedule : now + schedule.days * dayMs
    model.rotations += 1
  }
}
