/**
 * Keys that no other caller changes: each loses something after a backup, or keeps it. So whatever the other
 * callers do by chance, something of each kind is taken away.
 * @module
 */
import { wrapped } from '../crypto/wrapped.ts'
import * as access from '../failures/acts-of-access.ts'
import * as keys from '../failures/acts-of-keys.ts'
import type { Output } from '../failures/calls.ts'
import type { Caller } from '../failures/caller.ts'
import type { Subject } from '../failures/memory.ts'
import { absent } from '../failures/registers.ts'

export interface SetAside {
  /** Takes something away from each but the last. */
  readonly take: () => Promise<void>
  /** Keys with imported material. */
  readonly external: readonly Subject[]
}

export async function setAside(caller: Caller): Promise<SetAside> {
  const disabled = await made(caller)
  const scheduled = await made(caller)
  const revoked = await made(caller)
  const retired = await made(caller)
  const denied = await made(caller)
  await access.createGrant(caller, revoked)
  await access.createGrant(caller, retired)
  await access.allowByIam(caller, denied)
  const emptied = await imported(caller)
  const kept = await imported(caller)
  await keys.encrypt(caller, kept)
  return {
    external: [emptied, kept],
    async take() {
      await keys.disable(caller, disabled)
      await keys.schedule(caller, scheduled)
      await access.revokeGrant(caller, revoked)
      await access.retireGrant(caller, retired)
      await access.denyByIam(caller, denied)
      await removeMaterial(caller, emptied)
      // The log names this one, and cannot repeat it.
      await access.openPolicy(caller, denied)
    },
  }
}

async function made(caller: Caller): Promise<Subject> {
  const subject = await keys.createKey(caller)
  if (subject === undefined) throw new Error('no key was made')
  keys.retire(caller, subject)
  return subject
}

const materialOf = ({ keyId }: Subject): string => `key ${keyId} material`

async function imported(caller: Caller): Promise<Subject> {
  const { KeyMetadata } = await answered(caller, 'CreateKey', { Origin: 'EXTERNAL' })
  const { KeyId: keyId } = KeyMetadata as { readonly KeyId: string }
  const subject = { keyId, marker: 'external', grants: [], entries: 0, unknown: 0 }
  const algorithm = 'RSAES_OAEP_SHA_256'
  const asked = { KeyId: keyId, WrappingAlgorithm: algorithm, WrappingKeySpec: 'RSA_2048' }
  const { ImportToken, PublicKey } = await answered(caller, 'GetParametersForImport', asked)
  const timed = await caller.call('ImportKeyMaterial', {
    KeyId: keyId,
    ImportToken,
    EncryptedKeyMaterial: wrapped(PublicKey as Uint8Array, algorithm, Buffer.alloc(32, 5)),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  })
  caller.change(materialOf(subject), 'write', 'there', timed)
  return subject
}

const removeMaterial: keys.Act = async (caller, subject) => {
  const timed = await caller.call('DeleteImportedKeyMaterial', { KeyId: subject.keyId })
  caller.change(materialOf(subject), 'write', absent, timed)
}

export const readMaterial: keys.Act = async (caller, subject) => {
  const timed = await caller.call('DescribeKey', { KeyId: subject.keyId })
  if (timed.answer.kind !== 'ok') throw new Error(`DescribeKey: ${timed.answer.error}`)
  const { KeyState } = timed.answer.output['KeyMetadata'] as { readonly KeyState: string }
  caller.saw(materialOf(subject), KeyState === 'PendingImport' ? absent : 'there', timed)
}

async function answered(caller: Caller, operation: string, input: object): Promise<Output> {
  const { answer } = await caller.call(operation, input)
  if (answer.kind !== 'ok') throw new Error(`${operation}: ${answer.error}`)
  return answer.output
}
