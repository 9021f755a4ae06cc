/** How long the temporary credentials of a user live. @module */
import type { Caller } from '../../model/caller.ts'

const secondsByDefault = 43_200
/** A root user's credentials never live longer, whatever was asked for. */
const rootSecondsMax = 3600

/** In milliseconds. */
export function tokenLifetime(asked: number | undefined, { kind }: Pick<Caller, 'kind'>): number {
  const seconds = asked ?? secondsByDefault
  return 1000 * (kind === 'root' ? Math.min(seconds, rootSecondsMax) : seconds)
}
