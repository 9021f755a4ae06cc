/**
 * Which request quotas a call draws on: its operation's own, or the one that all cryptographic
 * operations on keys of a kind share. No two services have an operation of one name.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 * @module
 */
import type { KeySpec } from '../model/key.ts'

export interface Charge {
  readonly group: string
  /** The Region whose quota it is, where it is not the one that was called. */
  readonly region?: string
  readonly count: number
}

/** A call, as far as quotas ask about it. */
export interface ChargedCall {
  /** `kms`, `iam`, `sts`, `cloudtrail` or `monitoring`. */
  readonly service: string
  /** `Encrypt`, … */
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  /** Specs of the keys that the call names and that exist. */
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
  /** Apart from the symmetric group in the profile of 2015 only, which knew no MACs. */
  mac: 'cryptographic-mac',
  rsa: 'cryptographic-rsa',
  ecc: 'cryptographic-ecc',
  mlDsa: 'cryptographic-ml-dsa',
  mlKem: 'cryptographic-ml-kem',
} as const

/** Pairs of each spec have a quota of their own, with and without plaintext. */
export function pairGroup(spec: string): string {
  return `GenerateDataKeyPair-${spec}`
}

/** All operations of these services share one quota each. */
const wholeServices: ReadonlySet<string> = new Set(['iam', 'sts'])

export function chargesOf({ service, operation, input, specs }: ChargedCall): readonly Charge[] {
  if (wholeServices.has(service)) return [{ group: service, count: 1 }]
  if (operation.startsWith('GenerateDataKeyPair')) {
    return [{ group: pairGroup(String(input['KeyPairSpec'])), count: 1 }]
  }
  if (macs.has(operation)) return [{ group: sharedGroups.mac, count: 1 }]
  if (cryptographic.has(operation)) {
    // A ReEncrypt between keys of two kinds draws on both; one on none that exists, as a symmetric one.
    const groups = new Set(specs.length === 0 ? [sharedGroups.symmetric] : specs.map(groupOfSpec))
    return [...groups].map((group) => ({ group, count: 1 }))
  }
  return [{ group: operation, count: 1 }, ...elsewhere(operation, input)]
}

/** What an operation costs in a second Region. */
function elsewhere(operation: string, input: Readonly<Record<string, unknown>>): readonly Charge[] {
  if (operation === 'ReplicateKey') {
    // As AWS counts it: one CreateKey tries, one makes the key.
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
