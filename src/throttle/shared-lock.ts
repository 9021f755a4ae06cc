/** A lock that the threads of a process share, for work of microseconds that waits for nothing. @module */

/** The lock's word, and how often it was taken. */
export const lockWords = 2

const lock = 0
const turns = 1

const free = 0
const held = 1
/** Others may be waiting. */
const awaited = 2

/** Nobody who lives holds it for so long. */
const heldMsMax = 5000

/** Runs what it is given, one at a time of all threads that share `words`: zeros, to begin with. */
export function sharedLock(words: Int32Array<SharedArrayBuffer>): <T>(work: () => T) => T {
  const wait = (): void => {
    let seen = Atomics.load(words, turns)
    while (Atomics.exchange(words, lock, awaited) !== free) {
      const outcome = Atomics.wait(words, lock, awaited, heldMsMax)
      // A thread that died in its turn must not stop the others for good: one of them has the next turn.
      const isDead = outcome === 'timed-out' && Atomics.load(words, turns) === seen
      if (isDead && Atomics.compareExchange(words, turns, seen, seen + 1) === seen) return
      seen = Atomics.load(words, turns)
    }
  }
  return (work) => {
    if (Atomics.compareExchange(words, lock, free, held) !== free) wait()
    Atomics.add(words, turns, 1)
    try {
      return work()
    } finally {
      if (Atomics.exchange(words, lock, free) === awaited) Atomics.notify(words, lock, 1)
    }
  }
}
