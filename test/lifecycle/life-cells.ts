/**
 * The cells of the key-state table: kinds of keys, their possible states, and how to bring a key into
 * each.
 */
import assert from 'node:assert/strict'
import type { KeyState } from '@aws-sdk/client-kms'
import { needed, type Kind } from './life-model.ts'
import { places, type Asked, type Living, type Lives, type KeyRegion } from './lives.ts'

const symmetric = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' } as const

const pair = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' } as const
const hmac = { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' } as const

/** Kinds with different rows; other kinds differ only in their cryptography. */
export const cellKinds: readonly Kind[] = [
  { ...symmetric, origin: 'AWS_KMS', multiRegion: true },
  { ...symmetric, origin: 'EXTERNAL', multiRegion: true },
  { ...symmetric, origin: 'AWS_KMS', multiRegion: false },
  { ...symmetric, origin: 'EXTERNAL', multiRegion: false },
  { ...pair, origin: 'AWS_KMS', multiRegion: false },
  { ...hmac, origin: 'EXTERNAL', multiRegion: false },
]

/** Kinds that combine the rows of two of them. */
export const moreKinds: readonly Kind[] = [
  { ...pair, origin: 'AWS_KMS', multiRegion: true },
  { ...pair, origin: 'EXTERNAL', multiRegion: true },
  { ...hmac, origin: 'EXTERNAL', multiRegion: true },
]

const provers: Readonly<Record<string, Kind['usage']>> = {
  Decrypt: 'ENCRYPT_DECRYPT',
  'ReEncrypt from': 'ENCRYPT_DECRYPT',
  'ReEncrypt to': 'ENCRYPT_DECRYPT',
  Verify: 'SIGN_VERIFY',
  VerifyMac: 'GENERATE_VERIFY_MAC',
  Decapsulate: 'ENCAPSULATE_DECAPSULATE',
}

/** Calls that need a result which a key of another usage cannot make are left out. */
export function isAskedOf({ usage }: Kind, call: string): boolean {
  return provers[call] === undefined || provers[call] === usage
}

export type Role = 'single' | 'primary' | 'replica'

/** The possible states of a key of this kind and role; undefined is a deleted key. */
export function statesOf({ origin }: Kind, role: Role): readonly (KeyState | undefined)[] {
  return [
    'Enabled',
    'Disabled',
    ...(origin === 'EXTERNAL' ? (['PendingImport'] as const) : []),
    'PendingDeletion',
    ...(role === 'primary' ? (['PendingReplicaDeletion'] as const) : []),
    ...(role === 'single' ? [] : (['Updating'] as const)),
    ...(role === 'replica' ? (['Creating'] as const) : []),
    undefined,
  ]
}

/** The last step into a state, from an enabled key. */
const into: Readonly<Partial<Record<KeyState, string>>> = {
  Disabled: 'DisableKey',
  PendingImport: 'DeleteImportedKeyMaterial',
  PendingDeletion: 'ScheduleKeyDeletion',
  PendingReplicaDeletion: 'ScheduleKeyDeletion',
  Updating: 'UpdatePrimaryRegion',
}

const stepsMax = 30

/**
 * Brings a key of `role` into a state, by calls that succeed. Returns its Region; undefined if this
 * life has no way to the state, so that another one has to begin.
 */
export async function bring(
  lives: Lives,
  living: Living,
  role: Role,
  state: KeyState | undefined,
): Promise<KeyRegion | undefined> {
  const { life } = living
  for (let steps = 0; steps < stepsMax; steps += 1) {
    if (life.keys.size === 0) return state === undefined ? places[0] : undefined
    const step = nextStep(living, role, state)
    if (step === undefined) return undefined
    if ('there' in step) return step.there
    if ('seconds' in step) await lives.advance(living, step.seconds * 1000)
    else assert.deepEqual(await lives.ask(living, step), { outcome: undefined }, step.call)
  }
  return assert.fail(`no way to a ${role} that is ${state}`)
}

type Next = Asked | { readonly seconds: number } | { readonly there: KeyRegion }

function nextStep({ life }: Living, role: Role, state: KeyState | undefined): Next | undefined {
  const others = places.filter((one) => life.keys.has(one) && one !== life.primary)
  const free = places.find((one) => !life.keys.has(one))
  const primary = life.primary as KeyRegion
  const here = role === 'replica' ? others[0] : primary
  if (state === 'Creating') {
    const made = others.find((one) => life.keys.get(one)?.state === 'Creating')
    if (made !== undefined) return { there: made }
    return healed(life, primary) ?? (free && { call: 'ReplicateKey', place: primary, to: free })
  }
  const alone = role === 'single' || (role === 'primary' && state === 'PendingDeletion')
  if (alone && others.length > 0) return undefined
  if (here !== undefined && life.keys.get(here)?.state === state) return { there: here }
  if (state === undefined && role === 'replica' && free !== undefined && others.length > 0) {
    return { there: free }
  }
  if (state === undefined && life.keys.get(primary)?.state === 'PendingDeletion') {
    return { seconds: 8 * 86_400 }
  }
  for (const one of [primary, ...others]) {
    const step = healed(life, one)
    if (step !== undefined) return step
  }
  if (role !== 'single' && !alone && here !== primary && here === undefined) {
    return { call: 'ReplicateKey', place: primary, to: free ?? assert.fail('no free Region') }
  }
  if ((state === 'PendingReplicaDeletion' || state === 'Updating') && others.length === 0) {
    return { call: 'ReplicateKey', place: primary, to: free ?? assert.fail('no free Region') }
  }
  if (state === undefined && role !== 'replica') {
    return others.length > 0 ? undefined : { call: 'ScheduleKeyDeletion', place: primary, days: 7 }
  }
  const place = here ?? assert.fail('no key to change')
  if (state === 'Updating')
    return { call: 'UpdatePrimaryRegion', place: primary, to: others[0] as KeyRegion }
  const call = state === undefined ? undefined : into[state]
  return call === undefined ? undefined : { call, place }
}

/** The call that leads a key back to being enabled; undefined if it is enabled. */
function healed(life: Living['life'], place: KeyRegion): Next | undefined {
  const { state } = life.keys.get(place) ?? {}
  if (state === 'Creating' || state === 'Updating') return { seconds: 1 }
  if (state === 'PendingDeletion' || state === 'PendingReplicaDeletion') {
    return { call: 'CancelKeyDeletion', place }
  }
  if (state === 'Disabled') return { call: 'EnableKey', place }
  if (state !== 'PendingImport') return undefined
  const lacking = needed(life).find(({ imported }) => !imported.has(place))
  return { call: 'ImportKeyMaterial', place, material: lacking?.name ?? 'A' }
}
