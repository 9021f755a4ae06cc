/**
 * Work that is done a few pieces at a time, while the others wait for their turns: fairly between accounts,
 * and between the principals of each.
 *
 * Calls that lost a race for a row decide again in turn. Otherwise each round of a crowd at one key would
 * have one winner, and the last ones no round left. Changes of the store wait here too: it makes one after
 * another, in the order in which they come.
 * @module
 */
import { createFairQueue } from '../model/fair-queue.ts'
import { ourselves, type Party } from '../model/party.ts'

/** Runs `work` when it is the turn of its party. Each call in flight has one piece here at most. */
export type InTurn = <T>(work: () => Promise<T>, party?: Party) => Promise<T>

/** @param width how many pieces are done at once */
export function createTurns(width = 1): InTurn {
  // Bounded by the calls in flight, which the listener bounds.
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
          reject(error) // whoever gave the work hears of its failure
        } finally {
          running -= 1
          next()
        }
      }
      waiting.push(begin, party)
      next()
    })
}
