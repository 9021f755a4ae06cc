/** The error of a token, or of the child process that uses it. @module */

/**
 * What went wrong: the return value of the PKCS #11 function by its name in the standard (CKR_…), or one
 * of ours:
 * - `NOT_INSTALLED`: the package `pkcs11js` is missing or was not compiled
 * - `NO_LIBRARY`: the vendor's library does not load
 * - `AMBIGUOUS`: several tokens, or several keys, match
 * - `PIN_LAST_TRY`: one more wrong PIN would lock the token, so none is tried
 * - `TIMEOUT`, `ENDED`: the child process hung, or died
 * - `NONSENSE`: the child process answered something else than it was asked for
 * - `BUSY`: too many calls wait
 * - `NO_IV`: the token did not make the IV that it was to make
 * - `NO_CLUSTER`: no setting names the token
 * - `UNSAFE_KEY`: the token made another key than it was asked for
 * - `CLOSED`: the token was closed
 */
export class TokenError extends Error {
  readonly code: string

  /** @param message one line without secrets */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
