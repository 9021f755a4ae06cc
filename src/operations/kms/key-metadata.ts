/**
 * A key as AWS describes it, and as the audit record of CreateKey holds it.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
 * @module
 */
import type { CustomerMasterKeySpec, KeyMetadata, MultiRegionKey } from '@aws-sdk/client-kms'
import { algorithmNames } from '../../crypto/key-specs.ts'
import type { KeyRecord, KeyRef, KeyUsage } from '../../model/key.ts'
import { lowerFirst } from '../../model/shape.ts'
import { auditDate } from '../../model/audit-date.ts'

/**
 * Members are present exactly where AWS sends them.
 * @param related of a multi-Region key, the keys of its id, itself among them or not
 */
export function keyMetadata(
  key: KeyRecord,
  arn: (key: KeyRef) => string,
  related: readonly KeyRef[] = [],
): KeyMetadata {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: arn(key),
    CreationDate: new Date(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...deletion(key),
    Origin: key.origin,
    ...expiration(key),
    KeyManager: key.manager,
    // AWS sends the deprecated twin with every spec, also with those that its own enum lacks.
    CustomerMasterKeySpec: key.spec as CustomerMasterKeySpec,
    KeySpec: key.spec,
    ...algorithmList(key),
    MultiRegion: key.primaryRegion !== undefined,
    ...multiRegion(key, arn, related),
    ...currentMaterial(key),
  }
}

function multiRegion(
  key: KeyRecord,
  arn: (key: KeyRef) => string,
  related: readonly KeyRef[],
): Pick<KeyMetadata, 'MultiRegionConfiguration'> {
  const { accountId, keyId, primaryRegion } = key
  if (primaryRegion === undefined) return {}
  const inRegion = (region: string): MultiRegionKey => ({
    Arn: arn({ accountId, region, keyId }),
    Region: region,
  })
  const regions = new Set([key.region, ...related.map(({ region }) => region)])
  regions.delete(primaryRegion)
  return {
    MultiRegionConfiguration: {
      MultiRegionKeyType: primaryRegion === key.region ? 'PRIMARY' : 'REPLICA',
      PrimaryKey: inRegion(primaryRegion),
      ReplicaKeys: [...regions].toSorted().map(inRegion),
    },
  }
}

/** AWS does not tell that of a replica before it is there to be used. */
function currentMaterial(key: KeyRecord): Pick<KeyMetadata, 'CurrentKeyMaterialId'> {
  const { spec, state, currentMaterialId } = key
  return spec === 'SYMMETRIC_DEFAULT' && state !== 'Creating' && currentMaterialId !== undefined
    ? { CurrentKeyMaterialId: currentMaterialId }
    : {}
}

const algorithmMembers = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
} as const satisfies Readonly<Record<KeyUsage, keyof KeyMetadata>>

/** The algorithms that a key can be used with, under the member that its usage has. */
export function algorithmList(
  key: KeyRecord,
): Pick<KeyMetadata, (typeof algorithmMembers)[KeyUsage]> {
  return { [algorithmMembers[key.usage]]: [...algorithmNames(key.spec, key.usage)] }
}

/** A date while it is fixed, the window while it has not begun: never both. */
function deletion(
  key: KeyRecord,
): Pick<KeyMetadata, 'DeletionDate' | 'PendingDeletionWindowInDays'> {
  if (key.state === 'PendingDeletion' && key.deletionDate !== undefined) {
    return { DeletionDate: new Date(key.deletionDate) }
  }
  if (key.state === 'PendingReplicaDeletion' && key.pendingWindowDays !== undefined) {
    return { PendingDeletionWindowInDays: key.pendingWindowDays }
  }
  return {}
}

/** Of imported material, while all of it is there. */
function expiration(key: KeyRecord): Pick<KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  const { materialExpirationModel: model, materialExpiresAt: at } = key
  return {
    ...(model !== undefined && { ExpirationModel: model }),
    ...(at !== undefined && { ValidTo: new Date(at) }),
  }
}

/** `keyMetadata` of an audit record: AWS's casing, `aWSAccountId` among it, and its dates. */
export function auditedMetadata(metadata: KeyMetadata): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      lowerFirst(name),
      value instanceof Date ? auditDate(value) : value,
    ]),
  )
}
