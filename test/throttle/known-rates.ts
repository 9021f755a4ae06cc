/**
 * Request quotas as in their sources: the requests-per-second page of AWS's guide (November 2025), and
 * the Limits chapter of the guide of 2015.
 * @module
 */

type Rates = Readonly<Record<string, number>>

function flat(byRate: Readonly<Record<number, readonly string[]>>): Rates {
  const rated = Object.entries(byRate)
  return Object.fromEntries(
    rated.flatMap(([perSecond, names]) => names.map((name) => [name, Number(perSecond)])),
  )
}

/** Operations with a separate quota, by requests a second. */
export const today = flat({
  2000: ['DescribeKey', 'GetPublicKey', 'ListResourceTags'],
  1000: ['GetKeyPolicy', 'GetKeyRotationStatus'],
  500: ['ListAliases', 'ListKeys'],
  100: ['ListGrants', 'ListKeyPolicies', 'ListKeyRotations', 'ListRetirableGrants'],
  50: ['CreateGrant', 'RetireGrant', 'RevokeGrant'],
  15: [
    'DeleteAlias',
    'DeleteImportedKeyMaterial',
    'EnableKeyRotation',
    'ImportKeyMaterial',
    'PutKeyPolicy',
    'ScheduleKeyDeletion',
  ],
  10: ['TagResource'],
  5: [
    'CancelKeyDeletion',
    'CreateAlias',
    'CreateKey',
    'DisableKey',
    'DisableKeyRotation',
    'EnableKey',
    'GetKeyLastUsage',
    'ReplicateKey',
    'RotateKeyOnDemand',
    'UntagResource',
    'UpdateAlias',
    'UpdateKeyDescription',
    'UpdatePrimaryRegion',
    'ConnectCustomKeyStore',
    'CreateCustomKeyStore',
    'DeleteCustomKeyStore',
    'DescribeCustomKeyStores',
    'DisconnectCustomKeyStore',
    'UpdateCustomKeyStore',
  ],
  1: ['GetParametersForImport'],
})

/** Operations that the guide of 2015 names, without cryptography. */
export const named2015 = flat({
  5: [
    'CreateAlias',
    'CreateKey',
    'DeleteAlias',
    'DisableKey',
    'DisableKeyRotation',
    'EnableKey',
    'EnableKeyRotation',
    'GetKeyRotationStatus',
    'ListAliases',
    'ListGrants',
    'ListKeyPolicies',
    'ListKeys',
    'PutKeyPolicy',
    'UpdateAlias',
    'UpdateKeyDescription',
  ],
  15: ['CreateGrant', 'RetireGrant', 'RevokeGrant'],
  30: ['DescribeKey', 'GetKeyPolicy'],
})

/** Data key pairs, by spec. */
export const pairs: Rates = {
  ECC_NIST_P256: 100,
  ECC_NIST_P384: 100,
  ECC_NIST_P521: 100,
  ECC_SECG_P256K1: 100,
  ECC_NIST_EDWARDS25519: 100,
  RSA_2048: 20,
  RSA_3072: 4,
  RSA_4096: 1,
  SM2: 25,
  // AWS names no number for these.
  ML_KEM_512: 100,
  ML_KEM_768: 100,
  ML_KEM_1024: 100,
}

/** Regions with 20,000 and with 100,000 symmetric calls a second. */
export const larger = [
  'us-east-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
  'eu-central-1',
  'eu-west-2',
]
export const largest = ['us-east-1', 'us-west-2', 'eu-west-1']

/** These share a quota, today together with the MACs. */
export const symmetricOperations = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateRandom',
  'ReEncrypt',
]
export const macs = ['GenerateMac', 'VerifyMac']
