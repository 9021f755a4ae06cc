/** What the unsealing at a start offers to the server. @module */
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { Progress, Seal, SealKind, Wanted } from '../seals/seal.ts'

/** What operators see of a sealed server. */
export interface SealState extends Progress {
  readonly kind: SealKind
  /** False before `trent init`. */
  readonly initialized: boolean
  readonly opensWith: 'current' | 'recovery'
  /** Why the server does not open its seal by itself. */
  readonly reason?: string
}

/** An opened root key, and who opened it. */
export interface Unsealed {
  readonly deployment: OpenDeployment
  /** The current seal, even if the recovery seal opened the root key. */
  readonly seal: Seal
  /** Absent if the server opened it by itself. */
  readonly by?: UnsealedBy
  /** Who made the root key, if that was in this process. */
  readonly initializedBy?: string
}

/** For the audit record. */
export interface UnsealedBy {
  readonly seal: SealKind
  readonly role: 'current' | 'recovery'
  readonly set?: string
  /** The numbers of the shares that were given. */
  readonly shares?: readonly number[]
  /** Who gave them, in the same order, or the passphrase. */
  readonly givers: readonly string[]
  /** Secrets that were refused before. */
  readonly refused: number
}

export interface Unsealing {
  /** Rejects when the seal can never open, or when the server stops. */
  readonly opened: Promise<Unsealed>
  /** Whether the root key was opened. */
  readonly isOpen: () => boolean
  readonly state: () => Promise<SealState>
  /**
   * Makes the root key. A deployment that was never opened is made anew, because its shares may be lost.
   * @throws {SealRefused}
   * @throws {SealUnavailable}
   */
  readonly initialize: (
    wanted: Wanted,
    operator: string,
  ) => Promise<{ readonly shares?: readonly string[] }>
  /**
   * Takes what one operator gives.
   * @param secret UTF-8; overwritten
   * @param giver who gives it
   * @throws {SealRefused}
   * @throws {SealUnavailable}
   */
  readonly give: (secret: Uint8Array, giver: string) => Promise<SealState>
  readonly close: () => void
}
