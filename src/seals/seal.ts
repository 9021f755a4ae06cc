/**
 * The interface of a seal, which protects the root key at rest. Each kind of seal is one file that
 * implements it.
 * @module
 */
import type { KeyObject } from 'node:crypto'

/** The seal cannot be used, or cannot open what it was given. The message is one line. */
export class SealRefused extends Error {}

/** The seal cannot be reached now. A later attempt may succeed. The message is one line. */
export class SealUnavailable extends Error {}

/**
 * The seal does not open, and a further attempt could lock it for good. The server stays sealed and does not
 * try again before its next start. One that runs does not try the same secret again.
 */
export class SealStopped extends SealRefused {}

/** Whether the seal, or what it was given, is the cause: it does not open. */
export function isOfSeal(error: unknown): error is SealRefused | SealUnavailable {
  return error instanceof SealRefused || error instanceof SealUnavailable
}

export const sealKinds = ['file', 'passphrase', 'shamir', 'kms', 'pkcs11', 'tpm2'] as const
export type SealKind = (typeof sealKinds)[number]

/** What people give to open a seal. With `nothing`, the server opens it by itself. */
export type Asks = 'nothing' | 'passphrase' | 'shares'

/** What the operator chooses for a new seal. Each kind reads only its own members. */
export interface Wanted {
  /** UTF-8 */
  readonly passphrase?: Uint8Array
  /** Number of shares, 2 to 16. */
  readonly shares?: number
  /** Number of shares that open the seal, 2 to `shares`. */
  readonly threshold?: number
}

/** A root key at rest. */
export interface SealedRootKey {
  /** What the database keeps. Only the seal that made it can read it. */
  readonly record: Uint8Array
  /** Shares, as the texts that operators keep. They are shown once and never stored. */
  readonly shares?: readonly string[]
}

/** How far people are with opening a seal. */
export interface Progress {
  readonly asks: Asks
  /** The id of the set of shares. */
  readonly set?: string
  /** The numbers of the shares that were given, in order. */
  readonly given?: readonly number[]
  /** Who gave each of them, in the same order, if this is known. */
  readonly givers?: readonly string[]
  /** Number of shares that open the seal now. */
  readonly needed?: number
}

/** One attempt to open a record, by one or more people. */
export interface Opening {
  readonly progress: () => Progress
  /**
   * Takes what one person gives, UTF-8; nothing if the seal asks for nothing. A refused secret changes
   * nothing for the other people. The same share given again changes nothing.
   * @param giver who gives it, for `progress`
   * @returns the root key once there is enough
   * @throws {SealRefused} when the secret or the record is wrong
   * @throws {SealUnavailable}
   */
  readonly give: (secret?: Uint8Array, giver?: string) => Promise<KeyObject | undefined>
  /** Forgets what people gave. */
  readonly forget: () => void
}

/** The opening of a seal that asks for nothing. */
export function unattended(give: () => Promise<KeyObject>): Opening {
  return { progress: () => ({ asks: 'nothing' }), give, forget: () => undefined }
}

export interface Seal {
  readonly kind: SealKind
  readonly asks: Asks
  /** A file with a secret for a device that counts wrong ones, as a path. */
  readonly secretFile?: string
  /** Whether the first start of an empty database creates the root key without an operator. */
  readonly startsAlone: boolean
  /**
   * Seals a root key for one deployment. The caller overwrites `rootKey`.
   * @param rootKey 32 bytes
   * @throws {SealRefused} when `wanted` is out of bounds
   * @throws {SealUnavailable}
   */
  readonly seal: (
    rootKey: Uint8Array,
    deploymentId: string,
    wanted?: Wanted,
  ) => Promise<SealedRootKey>
  /**
   * Refuses what `seal` would refuse, before people open the current seal. Absent if nothing is wanted.
   * @throws {SealRefused} when `wanted` is out of bounds
   */
  readonly requireWanted?: (wanted: Wanted) => void
  /**
   * Begins to open a record.
   * @param needs `everyone`: each holder of a share must give it, to prove that it was noted correctly
   * @throws {SealRefused} when the record is damaged or of another kind
   */
  readonly open: (record: Uint8Array, deploymentId: string, needs?: Needs) => Opening
}

export type Needs = 'threshold' | 'everyone'

export const rootKeyBytes = 32

/**
 * Opens a record that asks for nothing.
 * @throws {SealRefused} also when people must give something
 * @throws {SealUnavailable}
 */
export async function openAlone(
  seal: Seal,
  record: Uint8Array,
  deploymentId: string,
): Promise<KeyObject> {
  const rootKey = seal.asks === 'nothing' && (await seal.open(record, deploymentId).give())
  if (rootKey) return rootKey
  throw new SealRefused(`the root key is sealed by ${seal.kind}: people must open it`)
}
