/**
 * Values that may have to be awaited. Code over them stays synchronous while nothing has to be: most calls
 * find everything in memory, and each promise would cost them a turn of the queue of microtasks.
 * @module
 */

export type Awaitable<T> = T | Promise<T>

/** What `next` makes of the value, at once if it is there. A failed promise fails the result. */
export function andThen<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  // oxlint-disable-next-line promise/no-callback-in-promise -- `next` is no callback of ours to call
  return value instanceof Promise ? value.then(next) : next(value)
}

/** All values, in order. */
export function all<T>(values: readonly Awaitable<T>[]): Awaitable<readonly T[]> {
  // Without a promise among them, these are the values.
  return values.some((value) => value instanceof Promise)
    ? Promise.all(values)
    : (values as readonly T[])
}
