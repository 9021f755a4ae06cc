/**
 * Signatures of users that services have forwarded: each is taken once. Bounded, and closed when full.
 *
 * INVARIANT (no replay): a signature is forgotten only when the latest time that was ever seen here is past
 * all at which it would be fresh; one from before the start is not taken, since it is not known whether it
 * was seen. So a clock that is set back, and a restart, open nothing.
 * @module
 */
import { KmsError } from '../errors.ts'
import { skewSeconds } from './claim.ts'

export interface SeenSignatures {
  /**
   * Takes a signature that was found right.
   * @param signedAt seconds since the epoch, as is `now`
   * @throws {KmsError} `InvalidSignatureException` when it is not new, `ThrottlingException` when there is
   *   no room to remember it
   */
  take(signature: string, signedAt: number, now: number): void
}

/** A signature may be from the future by the skew, and is fresh for as long behind it. */
const keptSeconds = 2 * skewSeconds
/** Some 50 MB at most: more than 800 a second. */
const entriesMax = 500_000

/** @param startedAt seconds since the epoch; what was signed in that second or before it is not taken */
export function createSeenSignatures(
  startedAt: number,
  limits: { readonly entriesMax: number } = { entriesMax },
): SeenSignatures {
  let latest = startedAt
  // Two halves, each filled for as long as a signature is kept: the older one is then dropped whole.
  let [older, newer] = [new Set<string>(), new Set<string>()]
  let halfFrom = startedAt
  return {
    take(signature, signedAt, now) {
      latest = Math.max(latest, now)
      if (latest - halfFrom > keptSeconds) {
        older = latest - halfFrom > 2 * keptSeconds ? new Set() : newer
        newer = new Set()
        halfFrom = latest
      }
      if (signedAt < latest - skewSeconds || signedAt <= startedAt) {
        throw refused('it was signed too long ago, or before the server started')
      }
      if (older.has(signature) || newer.has(signature)) throw refused('it was forwarded before')
      if (older.size + newer.size >= limits.entriesMax) {
        throw new KmsError('ThrottlingException', 'too many requests are forwarded')
      }
      newer.add(signature)
    },
  }
}

function refused(why: string): KmsError {
  return new KmsError('InvalidSignatureException', `the signature is not new: ${why}`)
}
