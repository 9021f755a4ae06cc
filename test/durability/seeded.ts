/** Random choices that a printed seed repeats. @module */

export interface Seeded {
  /** A whole number from 0 to `below` − 1. */
  readonly below: (below: number) => number
  /** One of `items`, or undefined when there is none. */
  readonly oneOf: <T>(items: readonly T[]) => T | undefined
}

/** Mulberry32: small, and even enough to choose what a test does next. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return { below, oneOf: (items) => items[below(items.length)] }
}
