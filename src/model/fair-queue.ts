/**
 * A queue that is fair between accounts, and between the principals of an account. Accounts take
 * turns, and so do the principals of each, so that a flood of calls delays only itself.
 *
 * INVARIANT (nobody is crowded out): a full queue drops the last item of a party that holds more
 * than its fair share, rather than refuse a party that holds less.
 * @module
 */
import type { Party } from './party.ts'

export interface FairQueue<T> {
  readonly size: number
  /**
   * Returns the item that found no room: another party's or `item` itself; undefined if there was
   * room.
   */
  push(item: T, party: Party): T | undefined
  shift(): T | undefined
  /** Removes an item because its caller no longer waits. */
  remove(item: T, party: Party): void
  /** Empties the queue. */
  drain(): T[]
}

/** The waiting items of one principal, in order. */
interface Line<T> {
  readonly items: T[]
}

interface Account<T> {
  waiting: number
  readonly lines: Map<string, Line<T>>
}

/** @param sizeMax how many items wait at most */
export function createFairQueue<T>(sizeMax: number): FairQueue<T> {
  const accounts = new Map<string, Account<T>>()
  let size = 0

  const lineOf = ({ accountId, principalId }: Party): [Account<T>, Line<T>] => {
    const account = accounts.get(accountId) ?? { waiting: 0, lines: new Map<string, Line<T>>() }
    accounts.set(accountId, account)
    const line = account.lines.get(principalId) ?? { items: [] }
    account.lines.set(principalId, line)
    return [account, line]
  }
  const take = ({ accountId, principalId }: Party, index: number): T | undefined => {
    const account = accounts.get(accountId)
    const line = account?.lines.get(principalId)
    const [item] = line?.items.splice(index, 1) ?? []
    if (account === undefined || line === undefined || item === undefined) return undefined
    account.waiting -= 1
    size -= 1
    if (line.items.length === 0) account.lines.delete(principalId)
    if (account.waiting === 0) accounts.delete(accountId)
    return item
  }
  return {
    get size() {
      return size
    },
    push(item, party) {
      let dropped: T | undefined
      if (size >= sizeMax) {
        const greedy = greediest(accounts, party)
        if (greedy === undefined) return item
        dropped = take(greedy, -1)
      }
      const [account, line] = lineOf(party)
      account.waiting += 1
      size += 1
      line.items.push(item)
      return dropped
    },
    shift() {
      const [accountId, account] = firstOf(accounts)
      if (account === undefined) return undefined
      const [principalId, line] = firstOf(account.lines)
      const item = take({ accountId, principalId }, 0)
      if (line !== undefined) toTheEnd(account.lines, principalId, line)
      toTheEnd(accounts, accountId, account)
      return item
    },
    remove(item, party) {
      const items = accounts.get(party.accountId)?.lines.get(party.principalId)?.items
      const index = items?.indexOf(item) ?? -1
      if (index !== -1) take(party, index)
    },
    drain() {
      const items: T[] = []
      for (const { lines } of accounts.values()) {
        for (const line of lines.values()) items.push(...line.items)
      }
      accounts.clear()
      size = 0
      return items
    },
  }
}

/**
 * The party that loses its last item to one more of `party`; undefined if none holds more than its
 * fair share.
 */
function greediest<T>(
  accounts: ReadonlyMap<string, Account<T>>,
  { accountId, principalId }: Party,
): Party | undefined {
  const own = accounts.get(accountId)
  const [largestId, largest] = largestOf(accounts, ({ waiting }) => waiting)
  if (largest !== undefined && largest.waiting - 1 > (own?.waiting ?? 0)) {
    const [greedy] = largestOf(largest.lines, ({ items }) => items.length)
    return { accountId: largestId, principalId: greedy }
  }
  if (own === undefined) return undefined
  const mine = own.lines.get(principalId)?.items.length ?? 0
  const [greedy, line] = largestOf(own.lines, ({ items }) => items.length)
  return line !== undefined && line.items.length - 1 > mine
    ? { accountId, principalId: greedy }
    : undefined
}

function firstOf<V>(map: ReadonlyMap<string, V>): readonly [string, V | undefined] {
  const [first] = map
  return first ?? ['', undefined]
}

/**
 * Moves a party that has had its turn behind all others. Parties without items are not in the map.
 */
function toTheEnd<V>(map: Map<string, V>, name: string, value: V): void {
  if (map.size > 1 && map.delete(name)) map.set(name, value)
}

function largestOf<V>(
  map: ReadonlyMap<string, V>,
  countOf: (value: V) => number,
): readonly [string, V | undefined] {
  let largest: readonly [string, V | undefined] = ['', undefined]
  let most = 0
  for (const [name, value] of map) {
    const count = countOf(value)
    if (count > most) {
      most = count
      largest = [name, value]
    }
  }
  return largest
}
