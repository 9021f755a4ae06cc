/**
 * Operations of the built-in store on key pairs and HMAC keys, by the rows of the algorithm table.
 * Calls that a row marks as slow go to the crypto worker thread with the row's name and the key's
 * handle.
 * @module
 */
import assert from 'node:assert/strict'
import { deriveSharedSecret } from '../../crypto/algorithms/agreement.ts'
import { decapsulate, encapsulate } from '../../crypto/algorithms/encapsulation.ts'
import { generateMac, verifyMac } from '../../crypto/algorithms/mac.ts'
import { decrypt, encrypt } from '../../crypto/algorithms/oaep.ts'
import { checkMessage, isSlow, sign, verify } from '../../crypto/algorithms/sign.ts'
import {
  agreementAlgorithm,
  encryptionAlgorithm,
  kemAlgorithm,
  macAlgorithm,
  signingAlgorithm,
} from '../../crypto/algorithms/table.ts'
import type { Algorithm } from '../../crypto/algorithms/table.ts'
import type { SlowLane } from '../../crypto/slow-lane.ts'
import { andThen, type Awaitable } from '../../model/awaitable.ts'
import type { KeyRecord } from '../../model/key.ts'
import type { KeyStore } from '../keystore.ts'
import type { OpenMaterials } from './open-materials.ts'

type SlowPort = Pick<SlowLane, 'run'>

/** GetPublicKey, and Encrypt and Decrypt of RSA keys. */
export function publicKeyMethods(
  materials: OpenMaterials,
  slowLane: SlowPort,
): Pick<KeyStore, 'publicKey' | 'encryptBare' | 'decryptBare'> {
  return {
    publicKey: (key, signal) =>
      andThen(materials.current(key, signal), (material) => material.publicKeyDer()),
    encryptBare(key, algorithm, plaintext, signal) {
      const row = rowFor(key, algorithm, encryptionAlgorithm)
      return andThen(materials.current(key, signal), (material) =>
        encrypt(row, key.spec, material.publicKey(), plaintext),
      )
    },
    decryptBare(key, algorithm, ciphertext, signal) {
      const row = rowFor(key, algorithm, encryptionAlgorithm)
      return andThen(
        materials.current(key, signal),
        ({ key: privateKey }): Awaitable<Uint8Array> => {
          if (!row.slow.decrypt.includes(key.spec)) return decrypt(row, privateKey, ciphertext)
          const task = { algorithm, key: privateKey, ciphertext: copyOf(ciphertext) }
          return slowLane.run('decrypt', task, signal)
        },
      )
    },
  }
}

/** Sign and Verify. */
export function signatureMethods(
  materials: OpenMaterials,
  slowLane: SlowPort,
): Pick<KeyStore, 'sign' | 'verify'> {
  return {
    sign(key, algorithm, { bytes, type }, signal) {
      const row = rowFor(key, algorithm, signingAlgorithm)
      checkMessage(row, key.spec, bytes, type)
      return andThen(
        materials.current(key, signal),
        ({ key: privateKey }): Awaitable<Uint8Array> => {
          if (!isSlow(row, key.spec, type, 'sign')) return sign(row, privateKey, bytes, type)
          const task = { algorithm, key: privateKey, message: copyOf(bytes), messageType: type }
          return slowLane.run('sign', task, signal)
        },
      )
    },
    verify(key, algorithm, { bytes, type }, signature, signal) {
      const row = rowFor(key, algorithm, signingAlgorithm)
      checkMessage(row, key.spec, bytes, type)
      return andThen(materials.current(key, signal), (material): Awaitable<boolean> => {
        const publicKey = material.publicKey()
        if (!isSlow(row, key.spec, type, 'verify')) {
          return verify(row, publicKey, bytes, type, signature)
        }
        const signed = { message: copyOf(bytes), messageType: type, signature: copyOf(signature) }
        return slowLane.run('verify', { algorithm, key: publicKey, ...signed }, signal)
      })
    },
  }
}

/** GenerateMac, VerifyMac, DeriveSharedSecret, Encapsulate and Decapsulate. */
export function secretMethods(
  materials: OpenMaterials,
  slowLane: SlowPort,
): Pick<
  KeyStore,
  'generateMac' | 'verifyMac' | 'deriveSharedSecret' | 'encapsulate' | 'decapsulate'
> {
  return {
    generateMac(key, algorithm, message, signal) {
      const row = rowFor(key, algorithm, macAlgorithm)
      return andThen(materials.current(key, signal), (material) =>
        generateMac(row, material.key, message),
      )
    },
    verifyMac(key, algorithm, message, mac, signal) {
      const row = rowFor(key, algorithm, macAlgorithm)
      return andThen(materials.current(key, signal), (material) =>
        verifyMac(row, material.key, message, mac),
      )
    },
    async deriveSharedSecret(key, algorithm, peer, signal) {
      const row = rowFor(key, algorithm, agreementAlgorithm)
      const { key: privateKey } = await materials.current(key, signal)
      if (!row.slow.derive.includes(key.spec)) return deriveSharedSecret(privateKey, peer)
      return slowLane.run('derive-shared-secret', { key: privateKey, peer: copyOf(peer) }, signal)
    },
    async encapsulate(key, algorithm, signal) {
      rowFor(key, algorithm, kemAlgorithm)
      const material = await materials.current(key, signal)
      return encapsulate(material.publicKey())
    },
    async decapsulate(key, algorithm, ciphertext, signal) {
      const row = rowFor(key, algorithm, kemAlgorithm)
      const material = await materials.current(key, signal)
      return decapsulate(row, key.spec, material.key, ciphertext)
    },
  }
}

/**
 * A key may only be used with algorithms of its own spec and usage, even if a caller forgot to
 * check.
 */
function rowFor<Row extends Algorithm>(
  key: KeyRecord,
  algorithm: string,
  find: (name: string) => Row | undefined,
): Row {
  const row = find(algorithm)
  assert(row !== undefined && row.usage === key.usage && row.fits(key.spec), 'wrong algorithm')
  return row
}

/** Copies, because the lane moves its input and the call still needs it. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
