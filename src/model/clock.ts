/** Interfaces of time and randomness, so that tests can fix them. @module */

/** Both readings are milliseconds since the epoch. */
export interface Clock {
  /** The time for everything stored or decided. Tests may move it. */
  now(): number
  /** The system's time, for signature freshness and the `Date` header. Tests cannot move it. */
  system(): number
}

export interface Random {
  /** `length` bytes from the system's cryptographic generator. */
  bytes(length: number): Uint8Array
  /** A version 4 UUID, lower case. */
  uuid(): string
}
