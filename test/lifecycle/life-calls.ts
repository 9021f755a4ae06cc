/**
 * The effect of calls on the model of a key's life: the rows of AWS's key-state table. Each returns the
 * name of the error that the caller gets, or undefined for success.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * @module
 */
import type { KeyState } from '@aws-sdk/client-kms'
import {
  complete,
  dayMs,
  keyIn,
  modelKey,
  needed,
  settle,
  settleWaiting,
  synchronize,
  waiting,
  type Kind,
  type Life,
} from './life-model.ts'

/** The name of a refusal; undefined for a success. */
export type Outcome = string | undefined

/** The input of a call, apart from its key. */
export interface Given {
  /** The other Region of ReplicateKey and UpdatePrimaryRegion. */
  readonly to?: string
  /** A waiting period or a rotation period. */
  readonly days?: number
  /** Names a material of an imported key. */
  readonly material?: string
  readonly type?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined
  /** Milliseconds since the epoch. */
  readonly validTo?: number | undefined
}

type Call = (life: Life, place: string, given: Given) => Outcome

const notFound = 'NotFoundException'
const invalidState = 'KMSInvalidStateException'
const unsupported = 'UnsupportedOperationException'
const usable: readonly KeyState[] = ['Enabled', 'Updating']
const dying: readonly KeyState[] = ['PendingDeletion', 'PendingReplicaDeletion']
const rotationPerKeyMax = 25
const apartMs = 20 * 60_000

/** The error in a state that is not allowed. */
function refusal(life: Life, place: string, allowed: readonly KeyState[]): Outcome {
  const { state } = keyIn(life, place)
  if (allowed.includes(state)) return undefined
  return state === 'Disabled' ? 'DisabledException' : invalidState
}

/** Changes nothing in the model. */
const only =
  (...allowed: readonly KeyState[]): Call =>
  (life, place) =>
    refusal(life, place, allowed)
const always: Call = () => undefined
const untilDying: Call = (life, place) =>
  dying.includes(keyIn(life, place).state) ? invalidState : undefined

/** A key's usage is checked before its state. */
const ofUsage =
  (usage: Kind['usage']): Call =>
  (life, place) =>
    life.kind.usage === usage ? refusal(life, place, usable) : 'InvalidKeyUsageException'

const isSymmetric = ({ kind }: Life): boolean => kind.spec === 'SYMMETRIC_DEFAULT'

function ofSymmetric(life: Life, place: string): Outcome {
  const refused = ofUsage('ENCRYPT_DECRYPT')(life, place, {})
  return refused ?? (isSymmetric(life) ? undefined : 'InvalidKeyUsageException')
}

/**
 * For the settings of automatic rotation: the error about the key's origin comes before that of the
 * pending import.
 */
function settingRotation(life: Life, place: string): Outcome {
  const { state } = keyIn(life, place)
  if (state !== 'PendingImport') {
    const refused = refusal(life, place, usable)
    if (refused !== undefined) return refused
  }
  return life.kind.origin === 'EXTERNAL' || place !== life.primary ? unsupported : undefined
}

function ofImported(allowed: readonly KeyState[], then: Call): Call {
  return (life, place, given) => {
    if (life.kind.origin !== 'EXTERNAL') return unsupported
    return refusal(life, place, allowed) ?? then(life, place, given)
  }
}

/** Importing the missing material enables a disabled key. */
function completed(life: Life, place: string): void {
  const key = keyIn(life, place)
  const left = key.state === 'PendingImport' || key.state === 'Disabled'
  if (left && complete(life, place)) key.state = 'Enabled'
}

function importMaterial(life: Life, place: string, given: Given): Outcome {
  const { material: name = '', type, validTo = Infinity } = given
  if (type !== undefined && !isSymmetric(life)) return 'ValidationException'
  if (type === 'NEW_KEY_MATERIAL' && place !== life.primary) return 'ValidationException'
  const known = life.materials.find((each) => each.name === name)
  const first = life.materials.length === 0
  if (type === 'NEW_KEY_MATERIAL' || (type === undefined && first)) {
    if (known !== undefined) return 'IncorrectKeyMaterialException'
    if (waiting(life) !== undefined) return invalidState
    const imported = new Map([[place, validTo]])
    life.materials.push({ name, role: first ? 'CURRENT' : 'WAITING', imported, expired: new Map() })
    life.ready = life.keys.size === 1
    if (first) completed(life, place)
    return undefined
  }
  if (known === undefined) return 'IncorrectKeyMaterialException'
  known.imported.set(place, validTo)
  known.expired.delete(place)
  if (known.role === 'WAITING') settleWaiting(life)
  else completed(life, place)
  return undefined
}

function takeMaterial(life: Life, place: string, { material: name }: Given): Outcome {
  if (life.materials.length === 0 && name === undefined) return undefined
  if (name !== undefined && !isSymmetric(life)) return 'ValidationException'
  const named = life.materials.find((each) => each.name === name)
  const known = name === undefined ? needed(life).at(-1) : named
  if (known === undefined) return 'ValidationException'
  if (known.role === 'WAITING' && place === life.primary) {
    life.materials = life.materials.filter((each) => each !== known)
    return undefined
  }
  known.imported.delete(place)
  if (known.role === 'WAITING') {
    known.expired.delete(place)
    settleWaiting(life)
  }
  settle(life, place)
  return undefined
}

function rotateOnDemand(life: Life, place: string): Outcome {
  const refused = refusal(life, place, usable)
  if (refused !== undefined) return refused
  if (!isSymmetric(life) || place !== life.primary) return unsupported
  if (life.startedAt !== undefined) return undefined
  if (life.kind.origin === 'EXTERNAL' && !(waiting(life) && life.ready)) return invalidState
  if (life.onDemand >= rotationPerKeyMax) return 'LimitExceededException'
  if (life.schedule !== undefined && life.schedule.next - life.now <= apartMs) {
    return 'ConflictException'
  }
  life.startedAt = life.now
  return undefined
}

function replicate(life: Life, place: string, { to = '' }: Given): Outcome {
  // A replica is refused because it is one, before its state is checked.
  if (life.keys.has(place) && life.kind.multiRegion && place !== life.primary) return unsupported
  const refused = refusal(life, place, ['Enabled'])
  if (refused !== undefined) return refused
  if (!life.kind.multiRegion) return unsupported
  if (to === place) return 'ValidationException'
  if (life.keys.has(to)) return 'AlreadyExistsException'
  life.keys.set(to, modelKey('Creating', life.now))
  settleWaiting(life)
  return undefined
}

function updatePrimary(life: Life, place: string, { to = '' }: Given): Outcome {
  const next = to === place ? undefined : life.keys.get(to)
  const refused = refusal(life, place, usable) ?? (next && refusal(life, to, usable))
  if (refused !== undefined) return refused
  if (!life.kind.multiRegion || place !== life.primary) return invalidState
  if (to === place) return undefined
  if (next === undefined) return 'ValidationException'
  for (const key of [keyIn(life, place), next]) {
    Object.assign(key, { state: 'Updating', since: life.now })
  }
  life.primary = to
  if (life.keys.size > 2) synchronize(life)
  return undefined
}

function schedule(life: Life, place: string, { days = 30 }: Given): Outcome {
  const key = keyIn(life, place)
  if (dying.includes(key.state) || key.state === 'Updating') return invalidState
  const waits = place === life.primary && life.keys.size > 1
  key.state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion'
  key.windowDays = days
  key.deletesAt = waits ? undefined : life.now + days * dayMs
  key.since = undefined
  return undefined
}

function cancel(life: Life, place: string): Outcome {
  const key = keyIn(life, place)
  if (!dying.includes(key.state)) return invalidState
  key.state = complete(life, place) ? 'Disabled' : 'PendingImport'
  key.deletesAt = undefined
  return undefined
}

const switching =
  (to: 'Enabled' | 'Disabled'): Call =>
  (life, place) => {
    const refused = refusal(life, place, ['Enabled', 'Disabled'])
    if (refused === undefined) keyIn(life, place).state = to
    return refused
  }

/** By operation; cryptographic operations with their key usage. */
const calls: Readonly<Record<string, Call>> = {
  EnableKey: switching('Enabled'),
  DisableKey: switching('Disabled'),
  ScheduleKeyDeletion: schedule,
  CancelKeyDeletion: cancel,
  EnableKeyRotation(life, place, { days }) {
    const refused = settingRotation(life, place)
    if (refused !== undefined) return refused
    if (!isSymmetric(life)) return unsupported
    const period = days ?? life.schedule?.days ?? 365
    if (period === life.schedule?.days) return undefined
    life.schedule = { days: period, next: life.now + period * dayMs }
    synchronize(life)
    return undefined
  },
  DisableKeyRotation(life, place) {
    const refused = settingRotation(life, place)
    if (refused !== undefined || life.schedule === undefined) return refused
    life.schedule = undefined
    synchronize(life)
    return undefined
  },
  RotateKeyOnDemand: rotateOnDemand,
  GetParametersForImport: ofImported(['Enabled', 'Disabled', 'PendingImport'], always),
  ImportKeyMaterial: ofImported(
    ['Enabled', 'Disabled', 'PendingImport', 'Updating'],
    importMaterial,
  ),
  DeleteImportedKeyMaterial: ofImported(
    ['Enabled', 'Disabled', 'PendingImport', ...dying],
    takeMaterial,
  ),
  ReplicateKey: replicate,
  UpdatePrimaryRegion: updatePrimary,
  CreateGrant: only(...usable),
  CreateAlias: untilDying,
  UpdateAlias: untilDying,
  'UpdateAlias away': always,
  TagResource: untilDying,
  UntagResource: untilDying,
  UpdateKeyDescription: untilDying,
  GetPublicKey: (life, place) =>
    refusal(life, place, [...usable, 'Disabled']) ??
    (isSymmetric(life) || life.kind.spec.startsWith('HMAC') ? unsupported : undefined),
  Encrypt: ofUsage('ENCRYPT_DECRYPT'),
  GenerateDataKey: ofSymmetric,
  GenerateDataKeyWithoutPlaintext: ofSymmetric,
  GenerateDataKeyPair: ofSymmetric,
  GenerateDataKeyPairWithoutPlaintext: ofSymmetric,
  Decrypt: ofUsage('ENCRYPT_DECRYPT'),
  'ReEncrypt from': ofSymmetric,
  'ReEncrypt to': ofSymmetric,
  Sign: ofUsage('SIGN_VERIFY'),
  Verify: ofUsage('SIGN_VERIFY'),
  GenerateMac: ofUsage('GENERATE_VERIFY_MAC'),
  VerifyMac: ofUsage('GENERATE_VERIFY_MAC'),
  DeriveSharedSecret: ofUsage('KEY_AGREEMENT'),
  Encapsulate: ofUsage('ENCAPSULATE_DECAPSULATE'),
  Decapsulate: ofUsage('ENCAPSULATE_DECAPSULATE'),
}

/** These work in every state. */
const readers =
  'DescribeKey GetKeyPolicy PutKeyPolicy ListKeyPolicies ListAliases ListGrants ListResourceTags ' +
  'ListKeyRotations GetKeyRotationStatus GetKeyLastUsage DeleteAlias RevokeGrant RetireGrant'

const all = new Map<string, Call>([
  ...Object.entries(calls),
  ...readers.split(' ').map((name) => [name, always] as const),
])

export const callNames: readonly string[] = [...all.keys()]

/** A call on the key of a Region, which may not exist. */
export function call(life: Life, name: string, place: string, given: Given = {}): Outcome {
  const act = all.get(name)
  if (act === undefined) throw new Error(`the model knows no ${name}`)
  return life.keys.has(place) ? act(life, place, given) : notFound
}
