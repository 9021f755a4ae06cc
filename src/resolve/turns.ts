/**
 * Work that is done one piece after another. Calls that lost a race for a row decide again in turn:
 * else each round of a crowd at one key would have one winner, and the last ones no round left.
 * @module
 */

/** Runs `work` when all that was given before has ended, however it ended. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined) // whoever gave the work hears of its failure
    return mine
  }
}
