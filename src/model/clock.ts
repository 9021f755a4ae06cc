/** Time and randomness as ports, so that tests can fix them. @module */

/** Both readings are milliseconds since the epoch. */
export interface Clock {
  /** Drives everything stored or decided; a test may move it. */
  now(): number
  /** The system's time: signature freshness and the `Date` header, which no test may move. */
  system(): number
}

export interface Random {
  /** `length` bytes from the system's cryptographic generator. */
  bytes(length: number): Uint8Array
  /** A version 4 UUID, lower case. */
  uuid(): string
}
