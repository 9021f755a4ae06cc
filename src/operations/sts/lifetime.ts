/** The lifetime of temporary credentials. @module */
import type { Caller } from '../../model/caller.ts'

const secondsByDefault = 43_200
/** Maximum for a root user. AWS shortens a longer request without an error. */
const rootSecondsMax = 3600

/** Returns the expiry in milliseconds since the epoch, a whole second, as in responses. */
export function expiry(issuedAt: number, seconds: number): number {
  return 1000 * (Math.floor(issuedAt / 1000) + seconds)
}

/** Returns the lifetime of the credentials that a user requests for itself or for a federated user. */
export function tokenSecondsOf(asked: number | undefined, { kind }: Pick<Caller, 'kind'>): number {
  const seconds = asked ?? secondsByDefault
  return kind === 'root' ? Math.min(seconds, rootSecondsMax) : seconds
}
