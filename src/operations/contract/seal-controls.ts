/** Controls of the seal of a running server, for operators. @module */

export interface SealControls {
  status(): Promise<SealStatus>
  /** @throws {KmsError} `ValidationException`, `DependencyTimeoutException` */
  begin(request: RekeyRequest): Promise<RekeyState>
  /** @param secret UTF-8; overwritten @throws {KmsError} as `begin` does */
  give(secret: Uint8Array): Promise<RekeyState>
  cancel(): Promise<void>
  /** Ends the process once the calls in flight are answered. */
  end(): void
}

export interface SealStatus {
  readonly kind: string
  /** Whether a start opens the seal without people. */
  readonly opensAlone: boolean
  /** Whether there is a recovery seal. */
  readonly recovery: boolean
  /** A new seal that is not in force yet. */
  readonly rekey?: RekeyState
}

export interface RekeyRequest {
  /** The new seal, as TRENT_SEAL names it. */
  readonly seal?: string
  /** Makes a new recovery seal instead. */
  readonly recovery?: boolean
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
  readonly needed?: number
  /** The texts of the new shares, shown once. */
  readonly shares?: readonly string[]
  /** The value of TRENT_SEAL for the next start. */
  readonly setting?: string
}
