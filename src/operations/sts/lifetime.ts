/** How long temporary credentials live. @module */
import type { Caller } from '../../model/caller.ts'

const secondsByDefault = 43_200
/** A root user's credentials never live longer, whatever was asked for. */
const rootSecondsMax = 3600

/** In whole seconds, as answers tell it. */
export function expiry(issuedAt: number, seconds: number): number {
  return 1000 * (Math.floor(issuedAt / 1000) + seconds)
}

/** Of credentials that a user gets for himself or for a federated user. */
export function tokenSecondsOf(asked: number | undefined, { kind }: Pick<Caller, 'kind'>): number {
  const seconds = asked ?? secondsByDefault
  return kind === 'root' ? Math.min(seconds, rootSecondsMax) : seconds
}
