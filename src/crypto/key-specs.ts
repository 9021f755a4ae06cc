/**
 * The key specs of AWS KMS, one row each: the kind of key, whether its material can be imported,
 * and the form of that material. Usages and algorithms follow from the algorithm table.
 * `algorithms/key-forms.ts` generates and encodes pairs.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 * @module
 */
import type { KeySpec, KeyUsage } from '../model/key.ts'
import { algorithms } from './algorithms/table.ts'

/** The encoding of a key's material. */
export type MaterialForm =
  | {
      /** The plain bytes of the secret. */
      readonly encoding: 'raw'
      /** Length of generated material. */
      readonly bytes: number
      /** Shortest and longest material of any origin, in bytes. */
      readonly bytesMin: number
      readonly bytesMax: number
    }
  | {
      /** The private key in PKCS#8, DER, generated in a slow lane. */
      readonly encoding: 'pkcs8'
      /**
       * Whether generating searches for primes, which can take more than a second; other pairs take
       * a millisecond.
       */
      readonly ofPrimes: boolean
    }

export interface KeySpecRow {
  /** One alias cannot move between keys of different kinds. */
  readonly kind: 'symmetric' | 'asymmetric' | 'HMAC'
  /** Whether material of this spec can be imported. */
  readonly importable: boolean
  readonly material: MaterialForm
}

const pair: KeySpecRow = {
  kind: 'asymmetric',
  importable: true,
  material: { encoding: 'pkcs8', ofPrimes: false },
}

const pairOfPrimes: KeySpecRow = { ...pair, material: { encoding: 'pkcs8', ofPrimes: true } }

const generatedPair: KeySpecRow = { ...pair, importable: false }

/**
 * Generated HMAC keys are as long as the digest; imported ones are at most as long as the hash's
 * block.
 */
function hmac(bytes: number, bytesMax: number): KeySpecRow {
  return {
    kind: 'HMAC',
    importable: true,
    material: { encoding: 'raw', bytes, bytesMin: bytes, bytesMax },
  }
}

/** One row a key spec. */
export const keySpecs: Readonly<Record<KeySpec, KeySpecRow>> = {
  SYMMETRIC_DEFAULT: {
    kind: 'symmetric',
    importable: true,
    material: { encoding: 'raw', bytes: 32, bytesMin: 32, bytesMax: 32 },
  },
  RSA_2048: pairOfPrimes,
  RSA_3072: pairOfPrimes,
  RSA_4096: pairOfPrimes,
  ECC_NIST_P256: pair,
  ECC_NIST_P384: pair,
  ECC_NIST_P521: pair,
  ECC_SECG_P256K1: pair,
  ECC_NIST_EDWARDS25519: pair,
  ML_DSA_44: generatedPair,
  ML_DSA_65: generatedPair,
  ML_DSA_87: generatedPair,
  ML_KEM_512: generatedPair,
  ML_KEM_768: generatedPair,
  ML_KEM_1024: generatedPair,
  HMAC_224: hmac(28, 64),
  HMAC_256: hmac(32, 64),
  HMAC_384: hmac(48, 128),
  HMAC_512: hmac(64, 128),
}

/**
 * Names of a key's algorithms in AWS's order, as in its metadata. Empty if the key spec does not
 * have the usage.
 */
export function algorithmNames(spec: KeySpec, usage: KeyUsage): readonly string[] {
  return namesOf.get(`${spec} ${usage}`) ?? []
}

/**
 * The members of SYMMETRIC_DEFAULT that readers need. It has no row in the table, because its
 * ciphertexts are Trent's own format.
 */
const symmetric = {
  name: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  specs: ['SYMMETRIC_DEFAULT'],
} as const

const namesOf: ReadonlyMap<string, readonly string[]> = listNames()

function listNames(): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const { name, usage, specs } of [symmetric, ...algorithms]) {
    for (const spec of specs) {
      const key = `${spec} ${usage}`
      names.set(key, [...(names.get(key) ?? []), name])
    }
  }
  return names
}

/** Key specs of wrapping keys. */
export type WrappingKeySpec = 'RSA_2048' | 'RSA_3072' | 'RSA_4096'

const everySize: readonly WrappingKeySpec[] = ['RSA_2048', 'RSA_3072', 'RSA_4096']
const notSmallest: readonly WrappingKeySpec[] = ['RSA_3072', 'RSA_4096']

/**
 * Wrapping keys that wrap a pair directly; RSA keys are too long for it. The list is AWS's: Ed25519
 * keys would also fit the smallest.
 */
const wrapsDirectly: Readonly<Partial<Record<KeySpec, readonly WrappingKeySpec[]>>> = {
  ECC_NIST_P256: everySize,
  ECC_NIST_P384: everySize,
  ECC_NIST_P521: notSmallest,
  ECC_SECG_P256K1: everySize,
  ECC_NIST_EDWARDS25519: notSmallest,
}

/**
 * Whether AWS accepts material of `spec` wrapped this way: pairs through an AES key, shorter
 * material directly. AWS no longer accepts RSAES_PKCS1_V1_5. `algorithm` is any value of the API.
 * @see
 * https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html
 */
export function canWrap(algorithm: string, wrappingKey: WrappingKeySpec, spec: KeySpec): boolean {
  const { importable, kind } = keySpecs[spec]
  if (!importable) return false
  switch (algorithm) {
    case 'RSAES_OAEP_SHA_1':
    case 'RSAES_OAEP_SHA_256':
      return kind !== 'asymmetric' || (wrapsDirectly[spec]?.includes(wrappingKey) ?? false)
    case 'RSA_AES_KEY_WRAP_SHA_1':
    case 'RSA_AES_KEY_WRAP_SHA_256':
      return kind === 'asymmetric'
    default:
      return false
  }
}
