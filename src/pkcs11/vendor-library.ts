/**
 * The vendor's library, through `pkcs11js`. Only the child process imports this file. @module
 */
import pkcs11 from 'pkcs11js'
import { TokenError } from './token-error.ts'
import type { TokenFacts, TokenPlace } from './token-calls.ts'

export type Library = pkcs11.PKCS11

/** @throws {TokenError} `NO_LIBRARY` */
export function loadLibrary(path: string): Library {
  const library = new pkcs11.PKCS11()
  try {
    library.load(path)
  } catch (cause) {
    throw new TokenError('NO_LIBRARY', `${path} does not load as a PKCS #11 library`, { cause })
  }
  // Calls come from several threads: without the flag the library may leave its own locks out.
  named(() => library.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK }))
  return library
}

export interface FoundToken {
  readonly slot: pkcs11.Handle
  readonly facts: TokenFacts
  readonly flags: number
}

/** Whether somebody has initialized the token. Until then it holds nothing. */
export function isInitialized({ flags }: FoundToken): boolean {
  return (flags & pkcs11.CKF_TOKEN_INITIALIZED) !== 0
}

/** @throws {TokenError} `CKR_TOKEN_NOT_PRESENT` or `AMBIGUOUS` */
export function findToken(library: Library, place: TokenPlace): FoundToken {
  const found = named(() => library.C_GetSlotList(true))
    .filter((slot) => place.slot === undefined || numberOf(slot) === place.slot)
    .map((slot) => infoOf(library, slot))
    .filter(({ facts }) => place.label === undefined || facts.label === place.label)
    .filter(({ facts }) => place.serial === undefined || facts.serial === place.serial)
  const [token, another] = found
  if (token === undefined) throw new TokenError('CKR_TOKEN_NOT_PRESENT', 'there is no such token')
  if (another === undefined) return token
  throw new TokenError('AMBIGUOUS', 'several tokens match: name the serial number too')
}

function infoOf(library: Library, slot: pkcs11.Handle): FoundToken {
  const { label, serialNumber, flags, minPinLen, maxPinLen } = named(() =>
    library.C_GetTokenInfo(slot),
  )
  const facts = {
    label: label.trim(),
    serial: serialNumber.trim(),
    pinBytesMin: minPinLen,
    pinBytesMax: maxPinLen,
  }
  return { slot, facts, flags }
}

const usable = pkcs11.CKF_USER_PIN_INITIALIZED

/**
 * Refuses to log in where a wrong PIN would be the last one.
 * @throws {TokenError}
 */
export function requireTries({ flags }: FoundToken): void {
  if ((flags & usable) === 0) {
    throw new TokenError('CKR_USER_PIN_NOT_INITIALIZED', 'the token has no PIN of a user yet')
  }
  if ((flags & pkcs11.CKF_USER_PIN_LOCKED) !== 0) {
    throw new TokenError('CKR_PIN_LOCKED', 'the PIN is locked')
  }
  if ((flags & pkcs11.CKF_USER_PIN_FINAL_TRY) !== 0) {
    throw new TokenError('PIN_LAST_TRY', 'one more wrong PIN would lock the token')
  }
}

/** Errors by their names. @throws {TokenError} */
export function named<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw tokenError(error)
  }
}

/** `CKR_…` for an error of the library. Its own text could quote anything, so it is left out. */
export function tokenError(error: unknown): unknown {
  if (!(error instanceof pkcs11.Pkcs11Error)) return error
  const code = /^CKR_\w+$/.test(error.message) ? error.message : `CKR_0x${error.code.toString(16)}`
  return new TokenError(code, `the token says ${code}`, { cause: error })
}

/** The number in a CK_ULONG, which is as long as a pointer. */
export function numberOf(bytes: Buffer): number {
  return bytes.length === 8 ? Number(bytes.readBigUInt64LE()) : bytes.readUInt32LE()
}
