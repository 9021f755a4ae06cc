/**
 * The built-in key store: materials are wrapped in the database, and a bounded number of them is
 * open.
 * @module
 */
import { keySpecs } from '../../crypto/key-specs.ts'
import { generateMaterial, wrapMaterial } from '../../crypto/material.ts'
import { createSlowLane } from '../../crypto/slow-lane.ts'
import type { SlowLane } from '../../crypto/slow-lane.ts'
import type { Random } from '../../model/clock.ts'
import type { KeySpec } from '../../model/key.ts'
import { importMethods } from './builtin-imports.ts'
import { messageMethods } from './builtin-messages.ts'
import { publicKeyMethods, secretMethods, signatureMethods } from './builtin-pairs.ts'
import type { KeyStore } from '../keystore.ts'
import { createOpenMaterials } from './open-materials.ts'
import type { OpenMaterials, OpenMaterialsDependencies } from './open-materials.ts'

export interface BuiltinDependencies extends OpenMaterialsDependencies {
  readonly random: Random
  /** The lane for all slow work. If absent, the store starts two lanes. */
  readonly slowLane?: SlowLane
}

export interface BuiltinKeyStore extends KeyStore {
  /** The opened materials. */
  readonly materials: OpenMaterials
  /** Closes a material that was changed or deleted; all materials without an id. */
  readonly forget: (materialId?: string) => void
  /** Closes every material and ends the threads that the store started. */
  readonly close: () => Promise<void>
}

/**
 * Most waiting tasks: each takes a few milliseconds in the first lane, up to a second in the
 * second.
 */
const slowQueueMax = 256
const primeQueueMax = 64
/** On a busy machine the thread gets about a tenth of a core; on an idle one, a whole core. */
const niceness = 10
const randomBytesMax = 1024

export function createBuiltinKeyStore(dependencies: BuiltinDependencies): BuiltinKeyStore {
  const { keyring, random } = dependencies
  const materials = createOpenMaterials(dependencies)
  const own = dependencies.slowLane === undefined
  const slowLane = dependencies.slowLane ?? createSlowLane({ queueMax: slowQueueMax })
  // A search for primes may take a second. Shorter tasks must not queue behind it, and on a busy
  // machine it must wait.
  const primeLane = own ? createSlowLane({ queueMax: primeQueueMax, niceness }) : slowLane
  const laneOf = (spec: KeySpec): SlowLane => {
    const { material } = keySpecs[spec]
    return material.encoding === 'pkcs8' && material.ofPrimes ? primeLane : slowLane
  }

  return {
    materials,
    ...messageMethods(materials, random),
    ...publicKeyMethods(materials, slowLane),
    ...signatureMethods(materials, slowLane),
    ...secretMethods(materials, slowLane),
    ...importMethods({ keyring, clock: dependencies.clock, primeLane, slowLane }),

    async createMaterial(place, signal) {
      signal.throwIfAborted()
      // A key in a custom key store has material of Trent's own as well, for Trent's encryption.
      if (place.origin === 'EXTERNAL')
        throw new RangeError('the built-in store does not generate material of this origin')
      const lane = { random, slowLane: laneOf(place.spec) }
      const material = await generateMaterial(place.spec, lane, signal)
      try {
        return wrapMaterial(keyring, place, material)
      } finally {
        material.fill(0)
      }
    },

    async adoptMaterial(place, plaintextMaterial, signal) {
      signal.throwIfAborted()
      const task = { spec: place.spec, material: new Uint8Array(plaintextMaterial) }
      const material = await slowLane.run('read-material', task, signal)
      try {
        return wrapMaterial(keyring, place, material)
      } finally {
        material.fill(0)
      }
    },

    async generateKeyPair(spec, signal) {
      signal.throwIfAborted()
      return laneOf(spec).run('generate-key-pair', { spec }, signal)
    },

    random(length, signal) {
      signal.throwIfAborted()
      if (!Number.isInteger(length) || length < 1 || length > randomBytesMax) {
        throw new RangeError('1 to 1024 random bytes')
      }
      return Buffer.from(random.bytes(length))
    },

    forget: materials.forget,
    async close() {
      materials.forget()
      if (own) await Promise.all([slowLane.close(), primeLane.close()])
    },
  }
}
