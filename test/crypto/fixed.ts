/** Fixed randomness, keys and a keyring for tests. */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { createDomainKey, openKeyring } from '../../src/crypto/domain-keys.ts'
import type { Keyring } from '../../src/crypto/keyring.ts'
import type { Random } from '../../src/model/clock.ts'

export const realRandom: Random = { bytes: (length) => randomBytes(length), uuid: randomUUID }

/** Gives out `bytes` once, and fails when more is asked for. */
export function fixedRandom(bytes: Uint8Array): Random {
  let taken = 0
  return {
    bytes: (length) => {
      if (taken + length > bytes.length) throw new Error('no randomness left')
      taken += length
      return Uint8Array.from(bytes.subarray(taken - length, taken))
    },
    uuid: randomUUID,
  }
}

export function testKeyring(versions: readonly number[] = [1]): Keyring {
  const rootKey = createSecretKey(randomBytes(32))
  const domainKeys = versions.map((version) => ({
    version,
    wrapped: createDomainKey(rootKey, 'deployment', version, realRandom),
  }))
  return openKeyring(rootKey, 'deployment', domainKeys, realRandom)
}

/** A copy of `bytes` with the bits of `mask` flipped at `index`. */
export function flipped(bytes: Uint8Array, index: number, mask = 1): Buffer {
  const copy = Buffer.from(bytes)
  copy[index] = (copy[index] ?? 0) ^ mask
  return copy
}
