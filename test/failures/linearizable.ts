/**
 * Decides whether a history of one register can be explained: by an order of its operations in which each happens at one
 * moment between its begin and its end, and in which every outcome follows from those before. Reads may be as old as
 * the bound of freshness allows.
 *
 * It is the algorithm of Wing and Gong with the memory of Lowe.
 * @see https://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/paper.pdf
 * @module
 */
import type { Entry } from './history.ts'
import type { Register } from './registers.ts'

export type Verdict =
  | { readonly verdict: 'explained' }
  /** The entries that no order explains, up to the one at which the longest order ends. */
  | { readonly verdict: 'impossible'; readonly at: Entry; readonly states: readonly string[] }
  /** There were too many orders to look at. */
  | { readonly verdict: 'undecided' }

interface Operation {
  readonly entry: Entry
  readonly isRead: boolean
  readonly begin: number
  readonly end: number
}

/** The most positions that are looked at. */
const stepsMax = 400_000

/** @param boundMs how much older than its begin the state may be that an operation without effect saw */
export function explain(entries: readonly Entry[], register: Register, boundMs: number): Verdict {
  const operations = entries
    // What came of a read is not known: it says nothing.
    .filter((entry) => !(entry.outcome === 'unknown' && entry.does === 'read'))
    .map((entry): Operation => {
      const isRead = register.isRead(entry)
      return {
        entry,
        isRead,
        begin: isRead ? entry.begin - boundMs : entry.begin,
        // What is of unknown outcome may happen at any later moment, or never.
        end: entry.outcome === 'unknown' ? Infinity : entry.end,
      }
    })
    .toSorted((one, other) => one.begin - other.begin)
  return new Search(operations, register).run()
}

interface Position {
  readonly done: bigint
  /** All operations before this one are done. */
  readonly from: number
  readonly state: string
}

class Search {
  readonly #operations: readonly Operation[]
  readonly #register: Register
  readonly #seen = new Set<string>()
  /** The furthest position: the operation that had to happen next, and the states in which it could not. */
  #stuck: { end: number; operation: Operation; states: Set<string> } | undefined

  constructor(operations: readonly Operation[], register: Register) {
    this.#operations = operations
    this.#register = register
  }

  run(): Verdict {
    const open: Position[] = [{ done: 0n, from: 0, state: this.#register.initial }]
    for (let steps = 0; open.length > 0; steps += 1) {
      if (steps > stepsMax) return { verdict: 'undecided' }
      const position = open.pop()
      if (position === undefined) break
      const next = this.#next(position)
      if (next === 'explained') return { verdict: 'explained' }
      for (const each of next) {
        const name = `${each.done.toString(36)} ${each.state}`
        if (this.#seen.has(name)) continue
        this.#seen.add(name)
        open.push(each)
      }
    }
    if (this.#stuck === undefined) throw new Error('a history without an end')
    const { operation, states } = this.#stuck
    return { verdict: 'impossible', at: operation.entry, states: [...states] }
  }

  /** Takes every read that fits, which never hurts, and returns the position after each change that could be next. */
  #next({ done: before, from: start, state }: Position): 'explained' | readonly Position[] {
    let done = before
    let from = start
    for (;;) {
      while ((done >> BigInt(from)) & 1n) from += 1
      const { candidates, first } = this.#candidates(done, from)
      // What is left may never have happened.
      if (first === undefined || first.end === Infinity) return 'explained'
      let taken = 0n
      for (const index of candidates) {
        const operation = this.#operations[index]
        if (operation?.isRead === true && this.#register.apply(state, operation.entry) === state) {
          taken |= 1n << BigInt(index)
        }
      }
      if (taken !== 0n) {
        done |= taken
        continue
      }
      const positions: Position[] = []
      for (const index of candidates) {
        const operation = this.#operations[index]
        if (operation === undefined || operation.isRead) continue
        const after = this.#register.apply(state, operation.entry)
        if (after !== undefined) {
          positions.push({ done: done | (1n << BigInt(index)), from, state: after })
        }
      }
      this.#note(first, state)
      return positions
    }
  }

  /** The operations that may be next: those that began before any that is left has ended. */
  #candidates(
    done: bigint,
    from: number,
  ): { candidates: readonly number[]; first: Operation | undefined } {
    const left: number[] = []
    let first: Operation | undefined
    for (let index = from; index < this.#operations.length; index += 1) {
      const operation = this.#operations[index]
      if (operation === undefined) break
      if (first !== undefined && operation.begin > first.end) break
      if ((done >> BigInt(index)) & 1n) continue
      left.push(index)
      if (first === undefined || operation.end < first.end) first = operation
    }
    const { end } = first ?? { end: 0 }
    return {
      candidates: left.filter((index) => (this.#operations[index]?.begin ?? 0) <= end),
      first,
    }
  }

  #note(operation: Operation, state: string): void {
    if (this.#stuck === undefined || operation.end > this.#stuck.end) {
      this.#stuck = { end: operation.end, operation, states: new Set([state]) }
    } else if (this.#stuck.operation === operation) this.#stuck.states.add(state)
  }
}
