/**
 * Values that may have to be awaited. Code over them stays synchronous while nothing has to be: most calls
 * find everything in memory, and each promise would take a call out of its turn.
 * @module
 */

export type Awaitable<T> = T | Promise<T>

/** What `next` makes of the value, at once if it is there. A failed promise fails the result. */
export function andThen<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  // oxlint-disable-next-line promise/no-callback-in-promise -- `next` is no callback of ours to call
  return value instanceof Promise ? value.then(next) : next(value)
}

type AwaitableEach<T extends readonly unknown[]> = { readonly [K in keyof T]: Awaitable<T[K]> }

/** All values, in order. */
export function allOf<T extends readonly unknown[]>(values: AwaitableEach<T>): Awaitable<T> {
  // Without a promise among them, these are the values.
  if (!values.some((value) => value instanceof Promise)) return values as unknown as T
  return Promise.all(values) as Promise<unknown> as Promise<T> // one value for each
}

/** Does `work` for each item, one after the other. */
export function forEach<T>(
  items: Iterable<T>,
  work: (item: T) => Awaitable<unknown>,
): Awaitable<void> {
  const iterator = items[Symbol.iterator]()
  for (let item = iterator.next(); item.done !== true; item = iterator.next()) {
    const done = work(item.value)
    if (done instanceof Promise)
      return done.then(() => forEach({ [Symbol.iterator]: () => iterator }, work))
  }
}

/** What `recover` makes of the error of `work`, whether it throws or its promise rejects. */
export function orElse<T>(
  work: () => Awaitable<T>,
  recover: (error: unknown) => Awaitable<T>,
): Awaitable<T> {
  try {
    const value = work()
    return value instanceof Promise ? value.catch(recover) : value
  } catch (error) {
    return recover(error)
  }
}

/** Calls `end` once `work` is over, whether it succeeds or fails. */
export function andFinally<T>(work: () => T, end: () => void): T {
  let value: T | undefined
  try {
    value = work()
  } finally {
    if (!(value instanceof Promise)) end()
  }
  return value instanceof Promise ? (value.finally(end) as T) : value
}
