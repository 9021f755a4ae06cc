/**
 * Condition keys of a request, built when a policy first reads one. The default key policy reads none,
 * and building them takes 2 µs.
 * @module
 */
import type { Context } from '../policy/context-values.ts'

type Values = readonly string[]

/** A `Context` that calls `make` once, at the first read. */
export class LazyContext implements Context {
  readonly #make: () => Context
  #made: Context | undefined

  constructor(make: () => Context) {
    this.#make = make
  }

  get #context(): Context {
    return (this.#made ??= this.#make())
  }

  get size(): number {
    return this.#context.size
  }

  get(key: string): Values | undefined {
    return this.#context.get(key)
  }

  has(key: string): boolean {
    return this.#context.has(key)
  }

  forEach(each: (values: Values, key: string, context: Context) => void): void {
    for (const [key, values] of this.#context) each(values, key, this)
  }

  entries(): MapIterator<[string, Values]> {
    return this.#context.entries()
  }

  keys(): MapIterator<string> {
    return this.#context.keys()
  }

  values(): MapIterator<Values> {
    return this.#context.values()
  }

  [Symbol.iterator](): MapIterator<[string, Values]> {
    return this.#context[Symbol.iterator]()
  }
}
