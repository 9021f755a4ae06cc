/**
 * Which condition keys each permission of KMS has, as the service authorization reference lists them: what
 * is not listed is not there, so that no policy comes to depend on it.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import type { GrantRecord } from '../../src/model/grant.ts'
import type { KeyRecord } from '../../src/model/key.ts'
import type { Operation } from '../../src/operations/contract/operation.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import { authorizeCall } from '../../src/authorize/permissions.ts'
import { delegating, own, user } from '../policy/given.ts'
import type { CachedAccount } from '../../src/cache/cached-records.ts'
import type { ResolvedNames } from '../../src/resolve/resolved.ts'

const everywhere = [
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalIsAWSService',
  'aws:PrincipalOrgID',
  'aws:PrincipalOrgPaths',
  'aws:PrincipalTag/Team',
  'aws:PrincipalType',
  'aws:Referer',
  'aws:RequestedRegion',
  'aws:ResourceAccount',
  'aws:ResourceOrgID',
  'aws:ResourceOrgPaths',
  'aws:SecureTransport',
  'aws:SourceIp',
  'aws:UserAgent',
  'aws:ViaAWSService',
  'aws:userid',
  'aws:username',
]
const caller = ['kms:CallerAccount']
const made = [
  'kms:KeyOrigin',
  'kms:KeySpec',
  'kms:KeyUsage',
  'kms:CustomerMasterKeySpec',
  'kms:CustomerMasterKeyUsage',
  'kms:MultiRegion',
  'kms:MultiRegionKeyType',
]
const key = [...caller, ...made, 'aws:ResourceTag/Team', 'kms:ResourceAliases']
const used = [...key, 'kms:RequestAlias']
const context = ['kms:EncryptionContext:purpose', 'kms:EncryptionContextKeys']
const sealed = [...used, ...context, 'kms:EncryptionAlgorithm']
const signed = [...used, 'kms:MessageType', 'kms:SigningAlgorithm']
const tagged = ['aws:RequestTag/Team', 'aws:TagKeys']
const attested = ['kms:RecipientAttestation:PCR0']

/** By permission; what every request has is left out. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'kms:CancelKeyDeletion': key,
  // On the alias and on its key, in that order, as for the other two.
  'kms:CreateAlias': caller,
  'kms:CreateAlias on the key': key,
  'kms:CreateGrant': [
    ...key,
    ...context,
    'kms:GrantConstraintSourceArn',
    'kms:GrantConstraintType',
    'kms:GrantIsForAWSResource',
    'kms:GrantOperations',
    'kms:GranteePrincipal',
    'kms:RetiringPrincipal',
  ],
  'kms:CreateKey': [...caller, ...made, ...tagged, 'kms:BypassPolicyLockoutSafetyCheck'],
  // A permission of another service, so without conditions of KMS.
  'cloudhsm:DescribeClusters': [],
  'kms:ConnectCustomKeyStore': caller,
  'kms:CreateCustomKeyStore': caller,
  'kms:DeleteCustomKeyStore': caller,
  'kms:DescribeCustomKeyStores': caller,
  'kms:DisconnectCustomKeyStore': caller,
  'kms:UpdateCustomKeyStore': caller,
  'kms:Decapsulate': [...used, 'kms:EncapsulationAlgorithm'],
  'kms:Decrypt': [...sealed, ...attested],
  'kms:DeleteAlias': caller,
  'kms:DeleteAlias on the key': key,
  'kms:DeleteImportedKeyMaterial': key,
  'kms:DeriveSharedSecret': [...used, ...attested, 'kms:KeyAgreementAlgorithm'],
  'kms:DescribeKey': used,
  'kms:DisableKey': [...key, 'kms:TrailingDaysWithoutKeyUsage'],
  'kms:DisableKeyRotation': key,
  'kms:EnableKey': key,
  'kms:EnableKeyRotation': [...key, 'kms:RotationPeriodInDays'],
  'kms:Encapsulate': [...used, 'kms:EncapsulationAlgorithm'],
  'kms:Encrypt': sealed,
  'kms:GenerateDataKey': [...sealed, ...attested],
  'kms:GenerateDataKeyPair': [...sealed, ...attested, 'kms:DataKeyPairSpec'],
  'kms:GenerateDataKeyPairWithoutPlaintext': [...sealed, 'kms:DataKeyPairSpec'],
  'kms:GenerateDataKeyWithoutPlaintext': sealed,
  'kms:GenerateMac': [...used, 'kms:MacAlgorithm'],
  'kms:GenerateRandom': attested,
  'kms:GetKeyLastUsage': key,
  'kms:GetKeyPolicy': key,
  'kms:GetKeyRotationStatus': key,
  'kms:GetParametersForImport': [...key, 'kms:WrappingAlgorithm', 'kms:WrappingKeySpec'],
  'kms:GetPublicKey': used,
  'kms:ImportKeyMaterial': [...key, 'kms:ExpirationModel', 'kms:ValidTo'],
  'kms:ListAliases': [],
  'kms:ListGrants': [...key, 'kms:GrantIsForAWSResource'],
  'kms:ListKeyPolicies': key,
  'kms:ListKeyRotations': key,
  'kms:ListKeys': [],
  'kms:ListResourceTags': key,
  'kms:ListRetirableGrants': [],
  'kms:PutKeyPolicy': [...key, 'kms:BypassPolicyLockoutSafetyCheck'],
  'kms:ReEncryptFrom': [...sealed, 'kms:ReEncryptOnSameKey'],
  'kms:ReEncryptTo': [...sealed, 'kms:ReEncryptOnSameKey'],
  'kms:ReplicateKey': [...key, 'kms:BypassPolicyLockoutSafetyCheck', 'kms:ReplicaRegion'],
  'kms:RetireGrant': [...key, ...context, 'kms:GrantConstraintType'],
  'kms:RevokeGrant': [...key, 'kms:GrantIsForAWSResource'],
  'kms:RotateKeyOnDemand': key,
  'kms:ScheduleKeyDeletion': [
    ...key,
    'kms:ScheduleKeyDeletionPendingWindowInDays',
    'kms:TrailingDaysWithoutKeyUsage',
  ],
  'kms:Sign': signed,
  'kms:TagResource': [...key, ...tagged],
  'kms:UntagResource': [...key, 'aws:TagKeys'],
  'kms:UpdateAlias': caller,
  'kms:UpdateAlias on the key': key,
  'kms:UpdateKeyDescription': key,
  // On the key in each of the two Regions.
  'kms:UpdatePrimaryRegion': [...key, 'kms:PrimaryRegion'],
  'kms:UpdatePrimaryRegion on the key': [...key, 'kms:PrimaryRegion'],
  'kms:Verify': signed,
  'kms:VerifyMac': [...used, 'kms:MacAlgorithm'],
}

const SourceArn = `arn:aws:s3:us-west-2:${own}:bucket`
const constraints = { EncryptionContextEquals: { purpose: 'x' }, SourceArn }
const EncryptionContext = { purpose: 'x' }
/** Every member from which a condition key is made; others need not be there for one to be asked. */
const inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  CreateGrant: {
    Operations: ['Encrypt'],
    Constraints: constraints,
    GranteePrincipal: user('a').arn,
    RetiringPrincipal: user('a').arn,
  },
  CreateKey: { MultiRegion: true, Tags: [{ TagKey: 'Team', TagValue: 'x' }] },
  Decapsulate: { EncapsulationAlgorithm: 'ML_KEM' },
  Encapsulate: { EncapsulationAlgorithm: 'ML_KEM' },
  DeriveSharedSecret: { KeyAgreementAlgorithm: 'ECDH' },
  GenerateDataKeyPair: { EncryptionContext, KeyPairSpec: 'RSA_2048' },
  GenerateDataKeyPairWithoutPlaintext: { EncryptionContext, KeyPairSpec: 'RSA_2048' },
  GenerateMac: { MacAlgorithm: 'HMAC_SHA_256' },
  VerifyMac: { MacAlgorithm: 'HMAC_SHA_256' },
  GetParametersForImport: { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
  ImportKeyMaterial: { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(0) },
  ReEncrypt: {
    SourceEncryptionContext: EncryptionContext,
    DestinationEncryptionContext: EncryptionContext,
  },
  ReplicateKey: { ReplicaRegion: 'eu-north-1', Tags: [{ TagKey: 'Team', TagValue: 'x' }] },
  UpdatePrimaryRegion: { PrimaryRegion: 'eu-north-1' },
  Sign: { SigningAlgorithm: 'ECDSA_SHA_256' },
  Verify: { SigningAlgorithm: 'ECDSA_SHA_256' },
  TagResource: { Tags: [{ TagKey: 'Team', TagValue: 'x' }] },
  UntagResource: { TagKeys: ['Team'] },
}

const record: KeyRecord = {
  accountId: own,
  region: 'us-west-2',
  keyId: 'mrk-1234abcd12ab34cd56ef1234567890ab',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  manager: 'CUSTOMER',
  state: 'Enabled',
  description: '',
  createdAt: 0,
  primaryRegion: 'us-west-2',
  policy: '',
  policyPrincipals: {},
  tags: [{ TagKey: 'Team', TagValue: 'x' }],
  rowVersion: 1,
}
const grant: GrantRecord = {
  accountId: own,
  region: 'us-west-2',
  keyId: record.keyId,
  grantId: 'a'.repeat(64),
  granteePrincipal: user('a').arn,
  issuingAccountId: own,
  operations: ['Encrypt'],
  constraints,
  createdAt: 0,
  rowVersion: 1,
}

const member: CachedAccount = {
  record: {
    accountId: own,
    organization: {
      organizationId: 'o-1234567890',
      unit: 'r-ab12',
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    createdAt: 0,
    rowVersion: 1,
  },
  serviceControl: [],
  resourceControl: [],
  bytes: 0,
}

/** What an identity policy that allows everything could have asked for, by permission. */
function asked(operation: Operation): ReadonlyMap<string, readonly string[]> {
  const seen = new Map<string, readonly string[]>()
  const watching: CompiledPolicy = {
    statements: [
      {
        label: 'all',
        effect: 'Allow',
        coversAction: () => true,
        coversResource: () => true,
        holds: (given) => {
          const name = permissions.shift() ?? ''
          seen.set(seen.has(name) ? `${name} on the key` : name, [...given.keys()])
          return true
        },
      },
    ],
  }
  const keys: ResolvedNames['keys'] = new Map(
    Object.entries(operation.keys).map(([name, use]) => [
      name,
      {
        use,
        namedBy: 'identifier',
        // An alias that is itself what the call is about names no key in its request.
        ...(use.forms === 'any' && operation.alias?.target !== name && { requestAlias: 'alias/x' }),
        aliasNames: ['alias/x'],
        known: { record, policy: delegating },
      },
    ]),
  )
  const input = inputs[operation.name] ?? { EncryptionContext }
  const onNoKey = operation.permissions?.(input) ?? []
  const permissions = [
    ...onNoKey.filter(({ region }) => region === undefined).map(({ action }) => action),
    ...(operation.alias === undefined ? [] : [operation.alias.action]),
    ...Object.values(operation.keys).map(({ action }) => action),
    ...onNoKey.filter(({ region }) => region !== undefined).map(({ action }) => action),
  ]
  const asking = {
    operation,
    caller: user('a'),
    scope: { accountId: own, region: 'us-west-2', partition: 'aws' },
    origin: { sourceAddress: '192.0.2.1', secure: true, userAgent: 'x', referer: 'y' },
    now: 0,
    accounts: new Map([[own, member]]),
    identity: { policies: [watching], entries: { 'aws:PrincipalTag/Team': 'x' } },
    ...(operation.recipient !== undefined && {
      attested: { 'kms:RecipientAttestation:PCR0': '00' },
    }),
    ...(operation.asksIdleDays && { idle: { 'kms:TrailingDaysWithoutKeyUsage': '1' } }),
  }
  const alias = { accountId: own, region: 'us-west-2', name: 'alias/x' }
  const resolved: ResolvedNames = {
    keys,
    identities: { named: [], records: {} },
    ...(operation.alias && { alias }),
    ...(operation.grant && { grant }),
  }
  authorizeCall(asking, input, resolved, () => undefined)
  return seen
}

const lower = (names: readonly string[]): readonly string[] =>
  names.map((name) => name.toLowerCase()).toSorted()

const found = new Map<string, readonly string[]>()
for (const operation of kmsRegistry.values()) {
  if (operation.service !== 'kms') continue
  for (const [permission, names] of asked(operation)) {
    // Who makes a key with tags is asked for kms:TagResource on it: the other is a test of its own.
    if (['CreateKey', 'ReplicateKey'].includes(operation.name) && permission === 'kms:TagResource')
      continue
    found.set(permission, names)
    test(`${permission} has its condition keys, and no other`, () => {
      const listed = expected[permission] ?? ['a row in the table']
      assert.deepEqual(names.toSorted(), lower([...everywhere, ...listed]))
    })
  }
}

test('every permission of the table is one that a call asks for', () => {
  assert.deepEqual([...found.keys()].toSorted(), Object.keys(expected).toSorted())
})
