/**
 * Runs a few pieces of work at a time. The others wait, fairly between accounts and between the principals of
 * each account.
 *
 * Calls that lost a race for a row decide again in turn. Otherwise each round of many calls for one key would
 * have one winner, and the last calls would run out of attempts. Changes of the store wait here too: the
 * store makes one after another, in the order of arrival.
 * @module
 */
import { createFairQueue } from '../model/fair-queue.ts'
import { ourselves, type Party } from '../model/party.ts'

/** Runs `work` when its party's turn comes. Each call in flight has at most one piece here. */
export type InTurn = <T>(work: () => Promise<T>, party?: Party) => Promise<T>

/** @param width number of pieces that run at the same time */
export function createTurns(width = 1): InTurn {
  // The listener bounds the calls in flight, and so this queue.
  const waiting = createFairQueue<() => Promise<void>>(Infinity)
  let running = 0
  const next = (): void => {
    if (running >= width) return
    const begin = waiting.shift()
    if (begin === undefined) return
    running += 1
    void begin()
  }
  return (work, party = ourselves) =>
    new Promise((resolve, reject) => {
      const begin = async (): Promise<void> => {
        try {
          resolve(await work())
        } catch (error) {
          reject(error) // the caller gets the failure
        } finally {
          running -= 1
          next()
        }
      }
      waiting.push(begin, party)
      next()
    })
}

/** A turn from `begin` to `end`, in which no other call is decided again. */
export interface Turn {
  /** Resolves when the turn has begun. */
  begin(): Promise<void>
  end(): void
}

export function turnOf(party: Party, inTurn: InTurn): Turn {
  const over = Promise.withResolvers<void>()
  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const work = (): Promise<void> => {
        resolve()
        return over.promise
      }
      inTurn(work, party).catch(reject)
    })
  let begun: Promise<void> | undefined
  return { begin: () => (begun ??= begin()), end: over.resolve }
}
