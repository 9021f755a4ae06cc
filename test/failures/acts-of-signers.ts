/** What callers do with a key pair and a MAC key, which nobody changes. @module */
import { Buffer } from 'node:buffer'
import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { Caller } from './caller.ts'

export interface Signers {
  readonly pair: string
  readonly mac: string
  readonly publicKey: KeyObject
  /** MACs by their message. */
  readonly macs: Map<string, Uint8Array>
}

/** @throws if a call is refused: no fault has begun yet */
export async function createSigners(caller: Caller): Promise<Signers> {
  const made = async (
    operation: string,
    input: object,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const { answer } = await caller.call(operation, input)
    if (answer.kind !== 'ok') throw new Error(`${operation}: ${answer.error}`)
    return answer.output
  }
  const create = async (KeySpec: string, KeyUsage: string): Promise<string> => {
    const { KeyMetadata } = await made('CreateKey', { KeySpec, KeyUsage })
    return (KeyMetadata as { KeyId: string }).KeyId
  }
  const pair = await create('ECC_NIST_P256', 'SIGN_VERIFY')
  const mac = await create('HMAC_256', 'GENERATE_VERIFY_MAC')
  const { PublicKey } = await made('GetPublicKey', { KeyId: pair })
  const key = Buffer.from(PublicKey as Uint8Array)
  const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
  return { pair, mac, publicKey, macs: new Map() }
}

export async function sign(caller: Caller, { pair, publicKey }: Signers): Promise<void> {
  const Message = Buffer.from(`message ${caller.random.below(1_000_000)}`)
  const use = { KeyId: pair, SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'RAW', Message }
  const { answer } = await caller.call('Sign', use)
  if (answer.kind !== 'ok') return
  const Signature = answer.output['Signature'] as Uint8Array
  if (!verify('sha256', Message, publicKey, Signature)) {
    caller.memory.find(`a signature of ${pair} is not valid`)
  }
  const checked = await caller.call('Verify', { ...use, Signature })
  if (checked.answer.kind === 'refused') {
    caller.memory.find(`Verify answered ${checked.answer.error} for a valid signature`)
  }
}

export async function makeMac(caller: Caller, { mac: KeyId, macs }: Signers): Promise<void> {
  const text = `message ${caller.random.below(50)}`
  const use = { KeyId, MacAlgorithm: 'HMAC_SHA_256', Message: Buffer.from(text) }
  const { answer } = await caller.call('GenerateMac', use)
  if (answer.kind !== 'ok') return
  const Mac = answer.output['Mac'] as Uint8Array
  const known = macs.get(text)
  if (known !== undefined && !Buffer.from(known).equals(Mac)) {
    caller.memory.find(`two MACs of ${text} differ`)
  }
  macs.set(text, Mac)
  const checked = await caller.call('VerifyMac', { ...use, Mac })
  if (checked.answer.kind === 'refused') {
    caller.memory.find(`VerifyMac answered ${checked.answer.error} for a valid MAC`)
  }
}
