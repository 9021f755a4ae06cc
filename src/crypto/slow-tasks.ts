/**
 * The tasks of the slow lane: a closed list of named, synchronous functions. Everything slower than
 * about a millisecond belongs here. Algorithms are passed by name, because their rows contain
 * functions, which cannot be sent to a thread.
 * @module
 */
import assert from 'node:assert/strict'
import { argon2Sync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { KeySpec } from '../model/key.ts'
import { deriveSharedSecret } from './algorithms/agreement.ts'
import { generateKeyPair } from './algorithms/key-forms.ts'
import { decrypt } from './algorithms/oaep.ts'
import { sign, verify } from './algorithms/sign.ts'
import type { MessageType } from './algorithms/signature-method.ts'
import { encryptionAlgorithm, signingAlgorithm } from './algorithms/table.ts'
import { unprovedReason } from './attestation/chain.ts'
import type { ProofInput } from './attestation/chain.ts'
import { readGivenMaterial, unwrapMaterial } from './material-wrapping.ts'
import type { GivenMaterial, WrappedMaterial } from './material-wrapping.ts'

/** A message of Sign and Verify, and the name of the algorithm. */
interface SignedTask {
  readonly algorithm: string
  readonly key: KeyObject
  readonly message: Uint8Array
  readonly messageType: MessageType
}

/** The input of each task. Byte arrays are moved to the worker and are empty afterwards. */
export interface SlowTasks {
  readonly 'generate-key-pair': { readonly spec: KeySpec }
  readonly sign: SignedTask
  readonly verify: SignedTask & { readonly signature: Uint8Array }
  readonly decrypt: {
    readonly algorithm: string
    readonly key: KeyObject
    readonly ciphertext: Uint8Array
  }
  readonly 'derive-shared-secret': { readonly key: KeyObject; readonly peer: Uint8Array }
  /** Returns the material in the encoding of its spec. */
  readonly 'unwrap-material': WrappedMaterial
  /** The same for material that is not wrapped. */
  readonly 'read-material': GivenMaterial
  /** Returns the reason why the document is not proved, in UTF-8; empty if it is. */
  readonly 'prove-attestation': ProofInput
  /** Returns `tagBytes` bytes of Argon2id, RFC 9106. */
  readonly argon2id: {
    readonly passphrase: Uint8Array
    readonly salt: Uint8Array
    /** KiB. */
    readonly memory: number
    readonly passes: number
    readonly parallelism: number
    readonly tagBytes: number
  }
}

/**
 * A key pair in the encodings of `KeyPair`, in its own memory. The caller overwrites
 * `privateKey`.
 */
export interface PairBytes {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** The result of each task. Byte arrays are secret unless they are signatures or public keys. */
export interface SlowAnswers {
  readonly 'generate-key-pair': PairBytes
  readonly sign: Uint8Array
  readonly verify: boolean
  readonly decrypt: Uint8Array
  readonly 'derive-shared-secret': Uint8Array
  readonly 'unwrap-material': Uint8Array
  readonly 'read-material': Uint8Array
  readonly 'prove-attestation': Uint8Array
  readonly argon2id: Uint8Array
}

export type SlowTaskName = keyof SlowTasks

/** Any task, as sent to the worker. */
export type AnySlowTask = {
  [Name in SlowTaskName]: { readonly name: Name; readonly input: SlowTasks[Name] }
}[SlowTaskName]

export type AnySlowAnswer = SlowAnswers[SlowTaskName]

/** Runs a task synchronously. @throws {KmsError} what the task's function throws */
export function runSlowTask(task: AnySlowTask): AnySlowAnswer {
  switch (task.name) {
    case 'generate-key-pair':
      return generateKeyPair(task.input.spec)
    case 'sign': {
      const { algorithm, key, message, messageType } = task.input
      return sign(rowOf(signingAlgorithm, algorithm), key, message, messageType)
    }
    case 'verify': {
      const { algorithm, key, message, messageType, signature } = task.input
      return verify(rowOf(signingAlgorithm, algorithm), key, message, messageType, signature)
    }
    case 'decrypt': {
      const { algorithm, key, ciphertext } = task.input
      return decrypt(rowOf(encryptionAlgorithm, algorithm), key, ciphertext)
    }
    case 'derive-shared-secret':
      return deriveSharedSecret(task.input.key, task.input.peer)
    case 'unwrap-material':
      return unwrapMaterial(task.input)
    case 'read-material':
      return readGivenMaterial(task.input)
    case 'prove-attestation':
      return Buffer.from(unprovedReason(task.input) ?? '')
    case 'argon2id':
      break
  }
  return argon2id(task.input)
}

function rowOf<Row>(find: (name: string) => Row | undefined, name: string): Row {
  const row = find(name)
  assert(row !== undefined, 'no such algorithm')
  return row
}

function argon2id(input: SlowTasks['argon2id']): Uint8Array {
  const { passphrase, salt, memory, passes, parallelism, tagBytes } = input
  try {
    const cost = { memory, passes, parallelism, tagLength: tagBytes }
    return argon2Sync('argon2id', { message: passphrase, nonce: salt, ...cost })
  } finally {
    passphrase.fill(0)
  }
}
