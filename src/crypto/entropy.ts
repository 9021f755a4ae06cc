/**
 * Randomness from the system's cryptographic generator (OpenSSL's DRBG, seeded by the kernel).
 * Small amounts are drawn in advance in larger blocks, because each draw has a high fixed cost.
 * Each byte is returned once and overwritten in the block. Whoever can read the block can also read
 * the DRBG's state.
 * @module
 */
import { randomFillSync, randomBytes, randomUUID } from 'node:crypto'
import type { Random } from '../model/clock.ts'

const aheadBytes = 4096
const smallMax = 64

/** The randomness of a running server. */
export const systemRandom: Random = createSystemRandom()

function createSystemRandom(): Random {
  const ahead = Buffer.alloc(aheadBytes)
  let used = aheadBytes
  return {
    bytes(length) {
      if (length > smallMax) return randomBytes(length)
      if (used + length > aheadBytes) {
        randomFillSync(ahead)
        used = 0
      }
      const drawn = Buffer.from(ahead.subarray(used, used + length))
      ahead.fill(0, used, used + length)
      used += length
      return drawn
    },
    uuid: () => randomUUID(),
  }
}
