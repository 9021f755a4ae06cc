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
import type { LaneTasks } from '../threads/lane-thread.ts'
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

/**
 * Input and result of each task. Byte arrays in the input are moved to the thread and are empty
 * afterwards. Byte arrays in the result are secret unless they are signatures or public keys.
 */
export type SlowTasks = {
  readonly 'generate-key-pair': readonly [{ readonly spec: KeySpec }, PairBytes]
  readonly sign: readonly [SignedTask, Uint8Array]
  readonly verify: readonly [SignedTask & { readonly signature: Uint8Array }, boolean]
  readonly decrypt: readonly [
    { readonly algorithm: string; readonly key: KeyObject; readonly ciphertext: Uint8Array },
    Uint8Array,
  ]
  readonly 'derive-shared-secret': readonly [
    { readonly key: KeyObject; readonly peer: Uint8Array },
    Uint8Array,
  ]
  /** Returns the material in the encoding of its spec. */
  readonly 'unwrap-material': readonly [WrappedMaterial, Uint8Array]
  /** The same for material that is not wrapped. */
  readonly 'read-material': readonly [GivenMaterial, Uint8Array]
  /** Returns the reason why the document is not proved, in UTF-8; empty if it is. */
  readonly 'prove-attestation': readonly [ProofInput, Uint8Array]
  /** Returns `tagBytes` bytes of Argon2id, RFC 9106. */
  readonly argon2id: readonly [Argon2idInput, Uint8Array]
}

interface Argon2idInput {
  readonly passphrase: Uint8Array
  readonly salt: Uint8Array
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly tagBytes: number
}

/**
 * A key pair in the encodings of `KeyPair`, in its own memory. The caller overwrites
 * `privateKey`.
 */
export interface PairBytes {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** Each throws what its function throws. */
export const slowTasks: LaneTasks<SlowTasks> = {
  'generate-key-pair': ({ spec }) => generateKeyPair(spec),
  sign: ({ algorithm, key, message, messageType }) =>
    sign(rowOf(signingAlgorithm, algorithm), key, message, messageType),
  verify: ({ algorithm, key, message, messageType, signature }) =>
    verify(rowOf(signingAlgorithm, algorithm), key, message, messageType, signature),
  decrypt: ({ algorithm, key, ciphertext }) =>
    decrypt(rowOf(encryptionAlgorithm, algorithm), key, ciphertext),
  'derive-shared-secret': ({ key, peer }) => deriveSharedSecret(key, peer),
  'unwrap-material': unwrapMaterial,
  'read-material': readGivenMaterial,
  'prove-attestation': (input) => Buffer.from(unprovedReason(input) ?? ''),
  argon2id,
}

function rowOf<Row>(find: (name: string) => Row | undefined, name: string): Row {
  const row = find(name)
  assert(row !== undefined, 'no such algorithm')
  return row
}

function argon2id(input: Argon2idInput): Uint8Array {
  const { passphrase, salt, memory, passes, parallelism, tagBytes } = input
  try {
    const cost = { memory, passes, parallelism, tagLength: tagBytes }
    return argon2Sync('argon2id', { message: passphrase, nonce: salt, ...cost })
  } finally {
    passphrase.fill(0)
  }
}
