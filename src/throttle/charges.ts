/**
 * Which request quotas a call uses: its operation's own, or the one that all cryptographic operations
 * on keys of one kind share. Operation names are unique over all services.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 * @module
 */
import type { KeySpec } from '../model/key.ts'

export interface Charge {
  readonly group: string
  /** The Region of the quota, if it is not the Region that was called. */
  readonly region?: string
  readonly count: number
}

/** The facts of a call that decide its quotas. */
export interface ChargedCall {
  /** `kms`, `iam`, `sts`, `cloudtrail`, `monitoring` or `kms-xks-proxy`. */
  readonly service: string
  /** `Encrypt`, … */
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  /** Specs of the keys that the call names, as far as they exist. */
  readonly specs: readonly KeySpec[]
}

const cryptographic: ReadonlySet<string> = new Set([
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GenerateRandom',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
])
const macs: ReadonlySet<string> = new Set(['GenerateMac', 'VerifyMac'])

/** Groups that several operations share; every other group is named after its operation. */
export const sharedGroups = {
  symmetric: 'cryptographic-symmetric',
  /** Separate from the symmetric group only in the profile of 2015, which has no MACs. */
  mac: 'cryptographic-mac',
  rsa: 'cryptographic-rsa',
  ecc: 'cryptographic-ecc',
  mlDsa: 'cryptographic-ml-dsa',
  mlKem: 'cryptographic-ml-kem',
} as const

/** Cryptographic operations on the keys of one custom key store. */
export const keyStoreGroup = 'custom-key-store'

/** Each pair spec has its own quota, for calls with and without plaintext together. */
export function pairGroup(spec: string): string {
  return `GenerateDataKeyPair-${spec}`
}

/** In each of these services, all operations share one quota. */
const wholeServices: ReadonlySet<string> = new Set(['iam', 'sts', 'kms-xks-proxy'])

export function chargesOf({ service, operation, input, specs }: ChargedCall): readonly Charge[] {
  if (wholeServices.has(service)) return [{ group: service, count: 1 }]
  if (operation.startsWith('GenerateDataKeyPair')) {
    return [{ group: pairGroup(String(input['KeyPairSpec'])), count: 1 }]
  }
  if (macs.has(operation)) return [{ group: sharedGroups.mac, count: 1 }]
  if (cryptographic.has(operation)) {
    // A ReEncrypt between two kinds of keys uses both quotas. A key that does not exist counts as
    // symmetric.
    const groups = new Set(specs.length === 0 ? [sharedGroups.symmetric] : specs.map(groupOfSpec))
    return [...groups].map((group) => ({ group, count: 1 }))
  }
  return [{ group: operation, count: 1 }, ...elsewhere(operation, input)]
}

/** What a call uses of the quotas of a second Region. */
function elsewhere(operation: string, input: Readonly<Record<string, unknown>>): readonly Charge[] {
  if (operation === 'ReplicateKey') {
    // As at AWS: one CreateKey checks, and one creates the key.
    return [{ group: 'CreateKey', region: String(input['ReplicaRegion']), count: 2 }]
  }
  if (operation === 'UpdatePrimaryRegion') {
    return [{ group: operation, region: String(input['PrimaryRegion']), count: 1 }]
  }
  return []
}

function groupOfSpec(spec: KeySpec): string {
  if (spec.startsWith('RSA_')) return sharedGroups.rsa
  if (spec.startsWith('ECC_')) return sharedGroups.ecc
  if (spec.startsWith('ML_DSA_')) return sharedGroups.mlDsa
  if (spec.startsWith('ML_KEM_')) return sharedGroups.mlKem
  return sharedGroups.symmetric
}
