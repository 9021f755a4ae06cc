/**
 * Remembers the users' signatures that services forwarded, so that each is accepted once. It is
 * bounded, and refuses when full.
 *
 * INVARIANT (no replay): a signature is forgotten only when the latest time seen here is past every
 * time at which it would be fresh. A signature from before the start is refused, because it may have
 * been used already. So a clock that is set back, and a restart, open nothing.
 * @module
 */
import { KmsError } from '../errors.ts'
import { skewSeconds } from './claim.ts'

export interface SeenSignatures {
  /**
   * Accepts a signature that was verified.
   * @param signedAt seconds since the epoch, like `now`
   * @throws {KmsError} `InvalidSignatureException` when it is not new, `ThrottlingException` when it
   *   cannot be remembered
   */
  take(signature: string, signedAt: number, now: number): void
}

/** A signature may be dated ahead by the skew, and stays fresh for the skew after its date. */
const keptSeconds = 2 * skewSeconds
/** At most about 50 MB: more than 800 signatures a second. */
const entriesMax = 500_000

/** @param startedAt seconds since the epoch; signatures of that second or earlier are refused */
export function createSeenSignatures(
  startedAt: number,
  limits: { readonly entriesMax: number } = { entriesMax },
): SeenSignatures {
  let latest = startedAt
  // Two halves, each filled for the time that a signature is kept. Then the older half is dropped.
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
