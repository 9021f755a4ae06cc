/**
 * The asymmetric part of the in-memory key store: results are JSON with the key, algorithm and bytes that
 * an operation
 * passed. The algorithms are tested elsewhere.
 */
import { KmsError } from '../../../src/errors.ts'
import type { KeyStore } from '../../../src/keystores/keystore.ts'
import type { KeyRecord } from '../../../src/model/key.ts'

type PairMethods = Omit<
  KeyStore,
  | 'createMaterial'
  | 'adoptMaterial'
  | 'importParameters'
  | 'importMaterial'
  | 'encrypt'
  | 'decrypt'
  | 'random'
>

/** The result of the store for `parts` under `key`. */
export function answerFor(key: Pick<KeyRecord, 'keyId'>, ...parts: readonly unknown[]): Buffer {
  const shown = parts.map((part) =>
    part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part,
  )
  return Buffer.from(JSON.stringify([key.keyId, ...shown]))
}

/** @param handedOut collects every secret that the store returns */
export function pairMethods(handedOut: Buffer[]): PairMethods {
  const secret = (bytes: Buffer): Buffer => {
    handedOut.push(bytes)
    return bytes
  }
  return {
    publicKey: async (key) => answerFor(key, 'public'),
    encryptBare: async (key, algorithm, plaintext) => answerFor(key, algorithm, plaintext),
    decryptBare: async (key, algorithm, ciphertext) => {
      const [keyId, under, plaintext] = JSON.parse(Buffer.from(ciphertext).toString()) as string[]
      if (keyId !== key.keyId || under !== algorithm)
        throw new KmsError('InvalidCiphertextException')
      return secret(Buffer.from(plaintext ?? '', 'hex'))
    },
    sign: async (key, algorithm, { bytes, type }) => answerFor(key, algorithm, type, bytes),
    verify: async (key, algorithm, { bytes, type }, signature) =>
      answerFor(key, algorithm, type, bytes).equals(signature),
    generateMac: async (key, algorithm, message) => answerFor(key, algorithm, message),
    verifyMac: async (key, algorithm, message, mac) =>
      answerFor(key, algorithm, message).equals(mac),
    deriveSharedSecret: async (key, algorithm, peer) => secret(answerFor(key, algorithm, peer)),
    encapsulate: async (key, algorithm) => ({
      sharedSecret: secret(answerFor(key, algorithm, 'secret')),
      ciphertext: answerFor(key, algorithm, 'ciphertext'),
    }),
    decapsulate: async (key, algorithm, ciphertext) =>
      secret(answerFor(key, algorithm, ciphertext)),
    generateKeyPair: async (spec) => ({
      privateKey: secret(Buffer.from(`private ${spec}`)),
      publicKey: Buffer.from(`public ${spec}`),
    }),
  }
}
