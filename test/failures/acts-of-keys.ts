/** What callers do with keys: life, descriptions, tags, rotation and uses. @module */
import { Buffer } from 'node:buffer'
import type { Caller, Timed } from './caller.ts'
import type { Sealed, Subject } from './memory.ts'
import { absent } from './registers.ts'
import { policyOf } from './policies.ts'

export type Act = (caller: Caller, subject: Subject) => Promise<unknown>

const name = ({ keyId }: Subject, register: string): string => `key ${keyId} ${register}`

let markers = 0

/** Asks for a new key, which replaces one that is used no more. */
export async function createKey(caller: Caller): Promise<Subject | undefined> {
  const { memory, deployment } = caller
  markers += 1
  const marker = `marker-${process.pid}-${markers}-${caller.random.below(1_000_000)}`
  memory.asked.set(marker, undefined)
  const Policy = policyOf(deployment.accountId, 'closed', marker)
  const timed = await caller.call('CreateKey', { Description: marker, Policy })
  if (timed.answer.kind !== 'ok') return undefined
  const { KeyMetadata } = timed.answer.output as { KeyMetadata: { KeyId: string } }
  const subject = { keyId: KeyMetadata.KeyId, marker, grants: [], entries: 0, unknown: 0 }
  memory.asked.set(marker, subject.keyId)
  memory.live.push(subject)
  for (const [register, value] of [
    ['description', marker],
    ['policy', marker],
    ['access', 'closed'],
    ['rotation', 'off'],
  ] as const) {
    caller.change(name(subject, register), 'write', value, timed)
  }
  return subject
}

/** Stops using a key. Its registers are read once more at the end. */
export function retire({ memory }: Caller, subject: Subject): void {
  memory.live = memory.live.filter((each) => each !== subject)
  memory.retired.push(subject)
}

const changeState =
  (operation: string, does: string): Act =>
  async (caller, subject) => {
    const input = operation === 'ScheduleKeyDeletion' ? { PendingWindowInDays: 30 } : {}
    const timed = await caller.call(operation, { ...input, KeyId: subject.keyId })
    const { answer } = timed
    // Other refusals say nothing of the state.
    if (answer.kind === 'refused' && answer.error !== 'KMSInvalidStateException') return
    caller.change(name(subject, 'state'), does, undefined, timed)
  }

export const enable = changeState('EnableKey', 'enable')
export const disable = changeState('DisableKey', 'disable')
export const schedule = changeState('ScheduleKeyDeletion', 'schedule')
export const cancel = changeState('CancelKeyDeletion', 'cancel')

export const describe: Act = async (caller, subject) => {
  const timed = await caller.call('DescribeKey', { KeyId: subject.keyId })
  if (timed.answer.kind !== 'ok') return expectNo(caller, subject, timed, 'NotFoundException')
  const { KeyMetadata } = timed.answer.output as {
    KeyMetadata: { KeyState: string; Description: string }
  }
  caller.saw(name(subject, 'state'), KeyMetadata.KeyState, timed)
  caller.saw(name(subject, 'description'), KeyMetadata.Description, timed)
}

export const describeAnew: Act = async (caller, subject) => {
  const value = `${subject.marker} ${caller.random.below(1_000_000)}`
  const input = { KeyId: subject.keyId, Description: value }
  const timed = await caller.call('UpdateKeyDescription', input)
  caller.change(name(subject, 'description'), 'write', value, timed)
  caller.sawState(subject.keyId, timed)
}

export const tag: Act = async (caller, subject) => {
  const value = String(caller.random.below(1_000_000))
  const Tags = [{ TagKey: 'color', TagValue: value }]
  const timed = await caller.call('TagResource', { KeyId: subject.keyId, Tags })
  caller.change(name(subject, 'tag'), 'write', value, timed)
  caller.sawState(subject.keyId, timed)
}

export const untag: Act = async (caller, subject) => {
  const input = { KeyId: subject.keyId, TagKeys: ['color'] }
  const timed = await caller.call('UntagResource', input)
  caller.change(name(subject, 'tag'), 'write', absent, timed)
  caller.sawState(subject.keyId, timed)
}

export const listTags: Act = async (caller, subject) => {
  const timed = await caller.call('ListResourceTags', { KeyId: subject.keyId })
  if (timed.answer.kind !== 'ok') return
  const { Tags = [] } = timed.answer.output as {
    Tags?: readonly { TagKey: string; TagValue: string }[]
  }
  const value = Tags.find(({ TagKey }) => TagKey === 'color')?.TagValue ?? absent
  caller.saw(name(subject, 'tag'), value, timed)
}

const setRotation =
  (operation: string, value: string): Act =>
  async (caller, subject) => {
    const timed = await caller.call(operation, { KeyId: subject.keyId })
    caller.change(name(subject, 'rotation'), 'write', value, timed)
    caller.sawState(subject.keyId, timed)
  }

export const enableRotation = setRotation('EnableKeyRotation', 'on')
export const disableRotation = setRotation('DisableKeyRotation', 'off')

export const readRotation: Act = async (caller, subject) => {
  const timed = await caller.call('GetKeyRotationStatus', { KeyId: subject.keyId })
  if (timed.answer.kind !== 'ok') return
  // A key that is to be deleted says that it does not rotate, whatever is set.
  if (timed.answer.output['KeyRotationEnabled'] === true) {
    caller.saw(name(subject, 'rotation'), 'on', timed)
  }
}

export const rotate: Act = async (caller, subject) => {
  const timed = await caller.call('RotateKeyOnDemand', { KeyId: subject.keyId })
  caller.use(subject, timed)
  const { kind } = timed.answer
  const { rotations } = caller.memory
  const { done, unknown } = rotations.get(subject.keyId) ?? { done: 0, unknown: 0 }
  rotations.set(subject.keyId, {
    done: done + Number(kind === 'ok'),
    unknown: unknown + Number(kind === 'unknown'),
  })
}

const randomText = (caller: Caller): Buffer =>
  Buffer.from(`text ${caller.random.below(1_000_000_000)}`)

export const encrypt: Act = async (caller, subject) => {
  const plaintext = randomText(caller)
  const context = { of: subject.marker }
  const timed = await caller.call('Encrypt', {
    KeyId: subject.keyId,
    Plaintext: plaintext,
    EncryptionContext: context,
  })
  const output = caller.use(subject, timed)
  if (output !== undefined) keep(caller, subject, output['CiphertextBlob'], plaintext, context)
}

export const dataKey: Act = async (caller, subject) => {
  const context = { of: subject.marker }
  const timed = await caller.call('GenerateDataKey', {
    KeyId: subject.keyId,
    KeySpec: 'AES_256',
    EncryptionContext: context,
  })
  const output = caller.use(subject, timed)
  if (output === undefined) return
  const { Plaintext, CiphertextBlob } = output as { Plaintext: Uint8Array; CiphertextBlob: unknown }
  keep(caller, subject, CiphertextBlob, Plaintext, context)
}

export const reEncrypt: Act = async (caller, subject) => {
  const sealed = oneSealed(caller, subject)
  if (sealed === undefined) return
  const context = { of: subject.marker, again: 'yes' }
  const timed = await caller.call('ReEncrypt', {
    CiphertextBlob: sealed.ciphertext,
    SourceEncryptionContext: sealed.context,
    DestinationKeyId: subject.keyId,
    DestinationEncryptionContext: context,
  })
  const output = caller.use(subject, timed)
  if (output !== undefined) {
    keep(caller, subject, output['CiphertextBlob'], sealed.plaintext, context)
  }
}

export const decrypt: Act = async (caller, subject) => {
  const sealed = oneSealed(caller, subject)
  if (sealed !== undefined) await opens(caller, sealed)
}

/** Decrypts, and compares the plaintext. */
export async function opens(caller: Caller, sealed: Sealed): Promise<Timed> {
  const timed = await caller.call('Decrypt', {
    CiphertextBlob: sealed.ciphertext,
    EncryptionContext: sealed.context,
  })
  const output = caller.use(sealed, timed)
  const { answer } = timed
  if (output !== undefined) {
    const opened = output['Plaintext'] as Uint8Array
    if (!Buffer.from(opened).equals(sealed.plaintext)) {
      caller.memory.find(`a ciphertext of ${sealed.keyId} opened to another plaintext`)
    }
  } else if (answer.kind === 'refused' && answer.error === 'InvalidCiphertextException') {
    caller.memory.find(`a ciphertext of ${sealed.keyId} could not be opened`)
  }
  return timed
}

function keep(
  { memory }: Caller,
  { keyId }: Subject,
  ciphertext: unknown,
  plaintext: Uint8Array,
  context: Sealed['context'],
): void {
  memory.sealed.push({ keyId, ciphertext: ciphertext as Uint8Array, plaintext, context })
}

function oneSealed({ memory, random }: Caller, { keyId }: Subject): Sealed | undefined {
  return random.oneOf(memory.sealed.slice(-200).filter((each) => each.keyId === keyId))
}

/** A key that was answered must be known everywhere. */
function expectNo(caller: Caller, subject: Subject, { answer, node }: Timed, error: string): void {
  if (answer.kind !== 'refused' || answer.error !== error) return
  caller.memory.find(`node ${node} answered ${error} for the key ${subject.keyId}`)
}
