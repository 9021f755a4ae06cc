/** Removes undefined members, which columns and records do not hold. @module */

type Defined<T> = {
  readonly [K in keyof T]?: Exclude<T[K], null | undefined>
}

/** The members that have a value. */
export function defined<T extends object>(members: T): Defined<T> {
  const present = Object.entries(members).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  return Object.fromEntries(present) as Defined<T> // each name came with its own value
}
