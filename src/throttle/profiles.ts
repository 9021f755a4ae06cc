/**
 * The quotas of each profile, request rates and counts of resources, with the operator's overrides.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
 * @module
 */
import { keyStoreGroup, pairGroup, sharedGroups } from './charges.ts'

export const profiles = ['aws', 'aws-2015', 'unlimited'] as const
export type Profile = (typeof profiles)[number]

/** The most that may exist; Infinity for no limit. */
export interface ResourceQuotas {
  /** Customer managed keys of an account in a Region. */
  readonly keys: number
  /** Aliases of an account in a Region. */
  readonly aliases: number
  readonly aliasesPerKey: number
  readonly grantsPerKey: number
  /** Grants of one key to one grantee. */
  readonly grantsPerPrincipal: number
}

export interface Quotas {
  readonly profile: Profile
  /** As the operator gave them. */
  readonly overrides: string
  readonly resources: ResourceQuotas
  /** Names of the groups with a rate limit, in order. */
  readonly groups: readonly string[]
  /** Requests a second for an account in a Region; undefined for no limit. */
  rateOf(group: string, region: string): number | undefined
  /** Records a second for refused calls of one access key. Beyond it, one record counts many calls. */
  readonly refusedCalls: number
  /** The group that a charge belongs to in this profile. */
  groupOf(group: string): string
}

/** An override is wrong: it names no quota, or its number is not valid. The message is one line. */
export class QuotaError extends Error {}

/** @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html */
const trailRates: Readonly<Record<string, number>> = {
  LookupEvents: 2,
  DescribeTrails: 10,
  GetEventSelectors: 10,
  GetTrail: 10,
  GetTrailStatus: 10,
  ListPublicKeys: 10,
  ListTrails: 10,
  CreateTrail: 1,
  DeleteTrail: 1,
  PutEventSelectors: 1,
  StartLogging: 1,
  StopLogging: 1,
  UpdateTrail: 1,
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
const metricRates: Readonly<Record<string, number>> = {
  GetMetricData: 50,
  GetMetricStatistics: 400,
  ListMetrics: 25,
}

/** STS has AWS's number; AWS publishes none for IAM. */
const identityRates: Readonly<Record<string, number>> = { iam: 100, sts: 600 }

/** Of each custom key store, AWS's number; and of each XKS proxy that Trent serves, the same. */
const proxyRates: Readonly<Record<string, number>> = {
  'kms-xks-proxy': 1800,
  [keyStoreGroup]: 1800,
}

/** Limits of the profile `unlimited`: high enough for any well-behaved program. */
const unlimitedRates: Readonly<Record<string, number>> = { iam: 500, sts: 1000, ...proxyRates }

const awsRates: Readonly<Record<string, number>> = {
  [sharedGroups.symmetric]: 10_000,
  [sharedGroups.rsa]: 1000,
  [sharedGroups.ecc]: 1000,
  [sharedGroups.mlDsa]: 1000,
  // AWS publishes no number for ML-KEM; this is the one of the other asymmetric keys.
  [sharedGroups.mlKem]: 1000,
  CancelKeyDeletion: 5,
  ConnectCustomKeyStore: 5,
  CreateAlias: 5,
  CreateCustomKeyStore: 5,
  CreateGrant: 50,
  CreateKey: 5,
  DeleteAlias: 15,
  DeleteCustomKeyStore: 5,
  DeleteImportedKeyMaterial: 15,
  DescribeCustomKeyStores: 5,
  DescribeKey: 2000,
  DisableKey: 5,
  DisableKeyRotation: 5,
  DisconnectCustomKeyStore: 5,
  EnableKey: 5,
  EnableKeyRotation: 15,
  [pairGroup('ECC_NIST_P256')]: 100,
  [pairGroup('ECC_NIST_P384')]: 100,
  [pairGroup('ECC_NIST_P521')]: 100,
  [pairGroup('ECC_SECG_P256K1')]: 100,
  [pairGroup('ECC_NIST_EDWARDS25519')]: 100,
  // The number of the elliptic curves: AWS publishes none.
  [pairGroup('ML_KEM_512')]: 100,
  [pairGroup('ML_KEM_768')]: 100,
  [pairGroup('ML_KEM_1024')]: 100,
  [pairGroup('RSA_2048')]: 20,
  [pairGroup('RSA_3072')]: 4,
  [pairGroup('RSA_4096')]: 1,
  [pairGroup('SM2')]: 25,
  GetKeyLastUsage: 5,
  GetKeyPolicy: 1000,
  GetKeyRotationStatus: 1000,
  GetParametersForImport: 1,
  GetPublicKey: 2000,
  ImportKeyMaterial: 15,
  ListAliases: 500,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListKeyRotations: 100,
  ListKeys: 500,
  ListResourceTags: 2000,
  ListRetirableGrants: 100,
  PutKeyPolicy: 15,
  ReplicateKey: 5,
  RetireGrant: 50,
  RevokeGrant: 50,
  RotateKeyOnDemand: 5,
  ScheduleKeyDeletion: 15,
  TagResource: 10,
  UntagResource: 5,
  UpdateAlias: 5,
  UpdateCustomKeyStore: 5,
  UpdateKeyDescription: 5,
  UpdatePrimaryRegion: 5,
  ...identityRates,
  ...proxyRates,
  ...trailRates,
  ...metricRates,
}

/** Symmetric quotas of AWS's larger Regions. */
const symmetricByRegion: Readonly<Record<string, number>> = {
  'us-east-1': 100_000,
  'us-west-2': 100_000,
  'eu-west-1': 100_000,
  'us-east-2': 20_000,
  'ap-southeast-1': 20_000,
  'ap-southeast-2': 20_000,
  'ap-northeast-1': 20_000,
  'eu-central-1': 20_000,
  'eu-west-2': 20_000,
}
/** RSA pair quotas of AWS's Regions in China. */
const chinesePairs: Readonly<Record<string, number>> = {
  [pairGroup('RSA_2048')]: 1,
  [pairGroup('RSA_3072')]: 0.5,
  [pairGroup('RSA_4096')]: 0.1,
}

/**
 * From the Limits chapter of the guide of 2015. Operations that it does not name keep today's number.
 */
const rates2015: Readonly<Record<string, number>> = {
  ...awsRates,
  [sharedGroups.symmetric]: 100,
  [sharedGroups.mac]: 10_000,
  CreateAlias: 5,
  CreateGrant: 15,
  CreateKey: 5,
  DeleteAlias: 5,
  DescribeKey: 30,
  DisableKey: 5,
  DisableKeyRotation: 5,
  EnableKey: 5,
  EnableKeyRotation: 5,
  GetKeyPolicy: 30,
  GetKeyRotationStatus: 5,
  ListAliases: 5,
  ListGrants: 5,
  ListKeyPolicies: 5,
  ListKeys: 5,
  PutKeyPolicy: 5,
  RetireGrant: 15,
  RevokeGrant: 15,
  UpdateAlias: 5,
  UpdateKeyDescription: 5,
}

const resourcesOf: Readonly<Record<Profile, ResourceQuotas>> = {
  aws: {
    keys: 100_000,
    aliases: Infinity,
    aliasesPerKey: 50,
    grantsPerKey: 50_000,
    grantsPerPrincipal: Infinity,
  },
  'aws-2015': {
    keys: 100,
    aliases: 200,
    aliasesPerKey: Infinity,
    grantsPerKey: 250,
    grantsPerPrincipal: 30,
  },
  unlimited: {
    keys: Infinity,
    aliases: Infinity,
    aliasesPerKey: Infinity,
    grantsPerKey: Infinity,
    grantsPerPrincipal: Infinity,
  },
}

const highest = 1e9
const refusedCallsName = 'RefusedCalls'
const refusedCallsDefault = 5

/**
 * @param overrides `CreateKey=50,keys=1000`: a group's requests a second, or a resource's count
 * @throws {QuotaError}
 */
export function createQuotas(profile: Profile, overrides = ''): Quotas {
  const resources: Record<keyof ResourceQuotas, number> = { ...resourcesOf[profile] }
  const base = profile === 'unlimited' ? unlimitedRates : profile === 'aws' ? awsRates : rates2015
  const own = new Map<string, number>()
  for (const [name, number] of readOverrides(overrides)) {
    if (!Object.hasOwn(resources, name)) own.set(name, number)
    else resources[name as keyof ResourceQuotas] = number
  }
  const refusedCalls = own.get(refusedCallsName) ?? refusedCallsDefault
  own.delete(refusedCallsName)
  const apart = profile === 'aws-2015' || own.has(sharedGroups.mac)
  const groupOf = (group: string): string =>
    group === sharedGroups.mac && !apart ? sharedGroups.symmetric : group
  return {
    profile,
    overrides,
    resources,
    refusedCalls,
    groups: [...new Set([...Object.keys(base), ...own.keys()])].toSorted(),
    groupOf,
    rateOf(group, region) {
      const given = own.get(group)
      if (given !== undefined) return given
      if (profile === 'aws' && group === sharedGroups.symmetric) {
        return symmetricByRegion[region] ?? base[group]
      }
      if (profile === 'unlimited') return base[group]
      const chinese = region.startsWith('cn-') ? chinesePairs[group] : undefined
      return chinese ?? base[group]
    },
  }
}

/** The numbers by quota name. */
function readOverrides(overrides: string): ReadonlyMap<string, number> {
  const read = new Map<string, number>()
  for (const entry of overrides.split(',').filter((text) => text.trim() !== '')) {
    const [name, number] = readOverride(entry)
    const counts = Object.hasOwn(resourcesOf.unlimited, name)
    const rates = name === refusedCallsName || Object.hasOwn(rates2015, name)
    if (!counts && !rates) throw new QuotaError(`${name} is not a quota`)
    if (counts && !Number.isInteger(number)) {
      throw new QuotaError(`${name} must be a whole number`)
    }
    if (read.has(name)) throw new QuotaError(`${name} is given twice`)
    read.set(name, number)
  }
  return read
}

function readOverride(entry: string): readonly [string, number] {
  const [, name = '', digits = ''] =
    /^\s*([A-Za-z][\w-]*)\s*=\s*(\d{1,10}(?:\.\d{1,3})?)\s*$/.exec(entry) ?? []
  const number = Number(digits)
  if (name === '') throw new QuotaError(`'${entry.trim()}' is not of the form CreateKey=50`)
  if (!(number > 0 && number <= highest)) {
    throw new QuotaError(`${name} must be more than 0 and at most ${highest}`)
  }
  return [name, number]
}
