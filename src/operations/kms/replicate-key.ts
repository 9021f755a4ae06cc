/**
 * ReplicateKey — creates a replica of a multi-Region key in another Region. It has the same id and
 * materials, but its own policy, description, tags, aliases and grants.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
 * @module
 */
import type { ReplicateKeyRequest, ReplicateKeyResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { copyMaterialStates, sharedOf } from '../../lifecycle/related-keys.ts'
import { settleWaiting } from '../../lifecycle/waiting-material.ts'
import { isPrimary, keyArn, type KeyRecord } from '../../model/key.ts'
import { keyAt } from '../../model/key-material.ts'
import type { RegionTable } from '../../model/region.ts'
import { boolean, required, type Input } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { auditedMetadata, keyMetadata } from './key-metadata.ts'
import { description, policy, regionName, requiredKeyId, tags } from './members.ts'
import { withMultiRegionRole } from './service-linked-role.ts'
import { requireUnderQuota } from './resource-quota.ts'
import { checkTags, tagEntries, tagPermissions } from './tags.ts'

export const replicateKey = operation<ReplicateKeyRequest, ReplicateKeyResponse>()({
  name: 'ReplicateKey',
  input: {
    KeyId: requiredKeyId,
    ReplicaRegion: required(regionName),
    Policy: policy,
    BypassPolicyLockoutSafetyCheck: boolean(),
    Description: description,
    Tags: tags,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ReplicateKey',
      crossAccount: false,
      noReplica: true,
      states: ['Enabled'],
    },
  },
  permissions: ({ ReplicaRegion: region, Tags }) => [
    { action: 'kms:CreateKey', region },
    ...tagPermissions(Tags).map((permission) => ({ ...permission, region })),
  ],
  context(input, use, { key }) {
    const bypass = {
      'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
    }
    if (use !== undefined || key === undefined) {
      return { ...bypass, 'kms:ReplicaRegion': input.ReplicaRegion }
    }
    // In the replica's Region, policies see the key to create.
    const { spec, usage, origin } = key
    return {
      ...bypass,
      'kms:KeySpec': spec,
      'kms:KeyUsage': usage,
      'kms:CustomerMasterKeySpec': spec,
      'kms:CustomerMasterKeyUsage': usage,
      'kms:KeyOrigin': origin,
      'kms:MultiRegion': 'true',
      'kms:MultiRegionKeyType': 'REPLICA',
      ...tagEntries(input.Tags),
    }
  },
  readOnly: false,
  audit: [
    'KeyId',
    'ReplicaRegion',
    'Policy',
    'BypassPolicyLockoutSafetyCheck',
    'Description',
    'Tags',
  ],
  auditDefaults: () => ({ bypassPolicyLockoutSafetyCheck: false, description: '' }),
  auditResponse: ({ ReplicaKeyMetadata, ReplicaPolicy }) => ({
    ...(ReplicaKeyMetadata && { replicaKeyMetadata: auditedMetadata(ReplicaKeyMetadata) }),
    replicaPolicy: ReplicaPolicy,
  }),
  throws: [
    'TagException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'UnsupportedOperationException',
    'DisabledException',
    'KMSInvalidStateException',
    'ValidationException',
    'AlreadyExistsException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
  ],
  check(input) {
    checkTags(input.Tags ?? [])
  },
  async run(call, { store, regions, policies, clock, quotas }) {
    const { input, keys, partition, arn, alsoRecords, commit } = call
    const { key: primary } = keys
    const { accountId, keyId } = primary
    const { ReplicaRegion: region } = input
    requireReplicaRegion(primary, region, { partition, regions })
    const ref = { accountId, region, keyId }
    if ((await store.findKey(ref)) !== undefined) throw alreadyThere()
    const keyPolicy = input.Policy ?? policies.defaultFor(partition, accountId)
    // The default policy lets the account change it, so it locks nobody out.
    const bypass = input.Policy === undefined || (input.BypassPolicyLockoutSafetyCheck ?? false)
    const policyPrincipals = await policies.check(keyPolicy, ref, { ...call, region }, bypass)
    const createdAt = clock.now()
    return commit(async (transaction) => {
      if ((await transaction.findKey(ref)) !== undefined) throw alreadyThere()
      const quota = 'KMS keys quota for this account in this region'
      await requireUnderQuota(
        quotas.resources.keys,
        () => transaction.countKeys(accountId, region),
        quota,
      )
      // Conflicts with concurrent changes to shared properties, and with a deletion of the primary.
      await transaction.updateKey(primary, {})
      const replica = await transaction.insertKey({
        ...sharedOf(primary),
        ...ref,
        state: 'Creating',
        transitionStartedAt: createdAt,
        description: input.Description ?? '',
        createdAt,
        policy: keyPolicy,
        policyPrincipals,
        tags: input.Tags ?? [],
      })
      await copyMaterialStates(transaction, primary, replica)
      await settleWaiting(transaction, replica)
      const related = await transaction.listRelatedKeys(replica)
      const { materialExpirationModel: ExpirationModel } = keyAt(primary, createdAt)
      const metadata = {
        ...keyMetadata(replica, arn, { related }),
        // From the primary's material: the replica has none yet.
        ...(ExpirationModel !== undefined && { ExpirationModel }),
      }
      alsoRecords({
        eventName: 'CreateKey',
        region,
        requestParameters: creationOf(replica, input),
        responseElements: { keyMetadata: auditedMetadata(metadata) },
        keys: [replica],
      })
      return {
        ReplicaKeyMetadata: metadata,
        ReplicaPolicy: keyPolicy,
        ...(input.Tags !== undefined && { ReplicaTags: [...input.Tags] }),
      }
    })
  },
  // For accounts with keys that are older than the role.
  alsoChanges: withMultiRegionRole,
})

/** @throws {KmsError} `UnsupportedOperationException`, `ValidationException` */
function requireReplicaRegion(
  key: KeyRecord,
  region: string,
  { partition, regions }: { readonly partition: string; readonly regions: RegionTable },
): void {
  if (!isPrimary(key)) {
    const message = `${keyArn(partition, key)} is not a multi-region primary key.`
    throw new KmsError('UnsupportedOperationException', message)
  }
  const there = regions.partitionOf(region)
  if (there === undefined) {
    throw invalid(
      `Region ${region} is not a valid Region or multi-Region keys are not supported in ` +
        `Region ${region}.`,
    )
  }
  if (there !== partition) {
    throw invalid(
      'The replica key Region must be in the same AWS partition as the primary key Region.',
    )
  }
  if (region === key.region) {
    throw invalid(`${region} cannot have a replica because it contains the primary.`)
  }
}

/** Parameters of the separate audit record for the creation of the replica. */
function creationOf(
  { spec, usage, origin }: KeyRecord,
  given: Input<typeof replicateKey.input>,
): Readonly<Record<string, unknown>> {
  const { Policy, BypassPolicyLockoutSafetyCheck = false, Description = '', Tags } = given
  return {
    description: Description,
    keyUsage: usage,
    customerMasterKeySpec: spec,
    keySpec: spec,
    origin,
    bypassPolicyLockoutSafetyCheck: BypassPolicyLockoutSafetyCheck,
    multiRegion: true,
    ...(Policy !== undefined && { policy: Policy }),
    ...(Tags !== undefined && { tags: Tags }),
  }
}

/** Also raised while that replica is pending deletion. */
function alreadyThere(): KmsError {
  return new KmsError(
    'AlreadyExistsException',
    'You can create only one replica of each primary key in each AWS Region.',
  )
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
