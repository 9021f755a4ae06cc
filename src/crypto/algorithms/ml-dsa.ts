/**
 * ML-DSA, hedged, with an empty context. OpenSSL signs messages. @noble/post-quantum signs the
 * caller's message representative μ, because `node:crypto` silently ignores OpenSSL's parameter for
 * it (ADR 0004). Accepted risk: its running time may depend on the key, and the seed is outside its
 * KeyObject while it runs. Replace it once `node:crypto` accepts μ.
 *
 * Measured for 44, 65 and 87, in ms: RAW sign p50 0.4, 0.6, 0.7 and p99 2.3, 3.6, 2.8 (the number
 * of attempts is random), verify 0.09, 0.14, 0.22; EXTERNAL_MU sign including key expansion p50
 * 3.4, 5.3, 6.8 and p99 14, 22, 23, verify 0.6, 1.1, 1.8.
 * @see FIPS 204 §5.2, §6.2 (step 6 of algorithm 7 for μ)
 * @module
 */
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { randomBytes, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import type * as Library from '@noble/post-quantum/ml-dsa.js'
import type { KeySpec } from '../../model/key.ts'
import type { MessageType, SignatureMethod } from './signature-method.ts'

type ParameterSet = typeof Library.ml_dsa44

const load = createRequire(import.meta.url)

const specs: readonly KeySpec[] = ['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87']

const raw: SignatureMethod = {
  slow: { sign: specs, verify: [] },
  sign: (key, message) => sign(null, message, key),
  verify: (key, message, signature) => verify(null, message, key, signature),
}

const externalMu: SignatureMethod = {
  messageBytes: 64,
  slow: { sign: specs, verify: specs },
  sign: signMu,
  verify(key, mu, signature) {
    const parameters = parametersOf(key)
    if (signature.length !== parameters.lengths.signature) return false
    const publicKey = key.export({ format: 'raw-public' })
    return parameters.internal.verify(signature, mu, publicKey, { externalMu: true })
  },
}

function signMu(key: KeyObject, mu: Uint8Array): Buffer {
  const parameters = parametersOf(key)
  const seed = key.export({ format: 'raw-seed' })
  const { secretKey } = parameters.keygen(seed)
  const hedge = randomBytes(32)
  try {
    const options = { externalMu: true, extraEntropy: hedge }
    return Buffer.from(parameters.internal.sign(mu, secretKey, options))
  } finally {
    for (const secret of [seed, secretKey, hedge]) secret.fill(0)
  }
}

/** Loads the library with the first call: loading takes about 20 ms, and few processes need it. */
function parametersOf(key: KeyObject): ParameterSet {
  const library = load('@noble/post-quantum/ml-dsa.js') as typeof Library
  const parameters = new Map<string | undefined, ParameterSet>([
    ['ml-dsa-44', library.ml_dsa44],
    ['ml-dsa-65', library.ml_dsa65],
    ['ml-dsa-87', library.ml_dsa87],
  ]).get(key.asymmetricKeyType)
  assert(parameters !== undefined, 'the key is not an ML-DSA key')
  return parameters
}

export const mlDsaMethods: ReadonlyMap<MessageType, SignatureMethod> = new Map([
  ['RAW', raw],
  ['EXTERNAL_MU', externalMu],
])
