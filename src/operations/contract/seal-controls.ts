/** Controls of the seal of a running server, for operators. @module */

export interface SealControls {
  status(): Promise<SealStatus>
  /** @throws {KmsError} `ValidationException`, `DependencyTimeoutException` */
  begin(request: RekeyRequest): Promise<RekeyState>
  /**
   * @param secret UTF-8; overwritten
   * @param giver who gives it
   * @throws {KmsError} as `begin` does
   */
  give(secret: Uint8Array, giver: string): Promise<RekeyState>
  cancel(): Promise<void>
  /** Ends the former root keys. @throws {KmsError} `ValidationException` while they are needed */
  retire(options: { readonly endSessions: boolean }): Promise<RetiredRoots>
  /** Ends the process once the calls in flight are answered. */
  end(): void
}

export interface RetiredRoots {
  /** The generation that remains. */
  readonly generation: number
  /** Number of former root keys that were ended. */
  readonly retired: number
}

/** Former root keys that still open something. */
export interface FormerRoots {
  /** Number of them. */
  readonly generations: number
  /**
   * `waiting` until every node knows the current root key, `rewrapping` until everything is under it.
   * Then they can be retired.
   */
  readonly state: 'waiting' | 'rewrapping' | 'rewrapped'
  /** Names and ids of the nodes that do not know it yet. */
  readonly waitsFor?: readonly string[]
  /** Rows that this process has put under the current root key. */
  readonly rewrapped: number
  /** The table that is being read, and how many come after it. */
  readonly table?: string
  readonly tablesLeft?: number
  /** ISO 8601, UTC: from then on, no session is under them. */
  readonly sessionsEnd: string
}

export interface SealStatus {
  readonly kind: string
  /** Counts root keys from 1; `trent rotate-root` makes the next. */
  readonly generation: number
  readonly former?: FormerRoots
  /** Whether a start opens the seal without people. */
  readonly opensAlone: boolean
  /** Whether there is a recovery seal. */
  readonly recovery: boolean
  /** The next start would stay sealed: why, and since when this is known (ISO 8601, UTC). */
  readonly doesNotOpen?: { readonly reason: string; readonly since: string }
  /** A new seal that is not in force yet. */
  readonly rekey?: RekeyState
}

export interface RekeyRequest {
  /** The new seal, as TRENT_SEAL names it. */
  readonly seal?: string
  /** Makes a new recovery seal instead. */
  readonly recovery?: boolean
  /** Makes a new root key instead, under the current seal. */
  readonly rotate?: boolean
  /** UTF-8; overwritten */
  readonly passphrase?: Uint8Array
  readonly shares?: number
  readonly threshold?: number
}

/** How far the sealing anew is. */
export interface RekeyState {
  /** `open`: the current seal must be opened; `prove`: each holder proves the new one. */
  readonly stage: 'open' | 'prove' | 'done'
  /** The kind of the new seal. */
  readonly seal: string
  readonly asks?: 'nothing' | 'passphrase' | 'shares'
  readonly set?: string
  readonly given?: readonly number[]
  /** Who gave each of them, in the same order. */
  readonly givers?: readonly string[]
  readonly needed?: number
  /** The texts of the new shares, shown once. */
  readonly shares?: readonly string[]
  /** The value of TRENT_SEAL for the next start. */
  readonly setting?: string
  /** The seal is that of a new root key. */
  readonly rotates?: true
}
