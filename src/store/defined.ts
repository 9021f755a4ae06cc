/** Optional members as columns hold them, and back. @module */

type Defined<T> = {
  readonly [K in keyof T]?: Exclude<T[K], null | undefined>
}

/** The members that have a value: a record holds no others. */
export function defined<T extends object>(members: T): Defined<T> {
  const present = Object.entries(members).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  return Object.fromEntries(present) as Defined<T> // each name came with its own value
}
