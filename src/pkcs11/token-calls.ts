/** What the server asks the child process that holds a token, and what it answers. @module */

/** Which token. Every member that is present must match. */
export interface TokenPlace {
  /** Absolute path of the vendor's library. */
  readonly library: string
  readonly label?: string
  readonly serial?: string
  readonly slot?: number
}

/** Who chooses the IV of an encryption: Trent, or the token, as AWS CloudHSM does. */
export type IvMaker = 'we' | 'token'

export interface TokenFacts {
  readonly label: string
  readonly serial: string
  /** Lengths of a PIN in bytes. */
  readonly pinBytesMin: number
  readonly pinBytesMax: number
}

/** An AES key in a token. */
export interface TokenKey {
  /** CKA_ID, hexadecimal. */
  readonly id: string
  /** CKA_LABEL */
  readonly label: string
  /** Whether it has 256 bits, encrypts and decrypts, was made in the token, and could never leave it. */
  readonly isSafe: boolean
}

/** Each call: its input and its answer. */
export type TokenCalls = {
  open: [TokenPlace & { readonly pin: Uint8Array; readonly iv: IvMaker }, TokenFacts]
  /** Looks for the token without a log-in. @see `probeToken` */
  probe: [TokenPlace, { readonly isInitialized: boolean }]
  findKeys: [{ readonly label?: string; readonly id?: string }, readonly TokenKey[]]
  /** @see `Token.generateKey` */
  generateKey: [{ readonly label: string; readonly id: string }, undefined]
  destroyKey: [{ readonly id: string }, undefined]
  /** Answers `iv ‖ ciphertext ‖ tag`. */
  encrypt: [
    { readonly id: string; readonly aad: Uint8Array; readonly plaintext: Uint8Array },
    Uint8Array,
  ]
  decrypt: [
    { readonly id: string; readonly aad: Uint8Array; readonly sealed: Uint8Array },
    Uint8Array,
  ]
  random: [{ readonly bytes: number }, Uint8Array]
  setPin: [{ readonly pin: Uint8Array; readonly next: Uint8Array }, undefined]
}

export type TokenCall = keyof TokenCalls

/** The content of a call. */
export interface Asked {
  readonly name: TokenCall
  readonly input: TokenCalls[TokenCall][0]
}
