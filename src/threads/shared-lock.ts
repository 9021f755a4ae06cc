/**
 * A lock that the threads of a process share, for critical sections of microseconds that never wait.
 * @module
 */

/** The lock word, and a counter of how often it was taken. */
export const lockWords = 2

const lock = 0
const turns = 1

const free = 0
const held = 1
/** Held, and other threads may be waiting. */
const awaited = 2

/** A living thread never holds the lock this long, in milliseconds. */
const heldMsMaxDefault = 5000

/**
 * Makes a function that runs critical sections one at a time over all threads that share `words`. The
 * words are zeros at first.
 * @param heldMsMax after which a thread that holds the lock counts as dead
 */
export function sharedLock(
  words: Int32Array<SharedArrayBuffer>,
  heldMsMax = heldMsMaxDefault,
): <T>(work: () => T) => T {
  const wait = (): void => {
    let seen = Atomics.load(words, turns)
    while (Atomics.exchange(words, lock, awaited) !== free) {
      const outcome = Atomics.wait(words, lock, awaited, heldMsMax)
      // A thread that died with the lock must not block the others for good: one of them takes it over.
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
