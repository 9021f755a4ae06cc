/**
 * Builds KeyMetadata, for responses and for the audit record of CreateKey.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
 * @module
 */
import type { CustomerMasterKeySpec, KeyMetadata, MultiRegionKey } from '@aws-sdk/client-kms'
import { algorithmNames } from '../../crypto/key-specs.ts'
import type { KeyRecord, KeyRef, KeyUsage } from '../../model/key.ts'
import { lowerFirst } from '../../model/shape.ts'
import { auditDate } from '../../model/audit-date.ts'

/** What the metadata of a key says of other rows. */
export interface AroundKey {
  /** The keys with the same id if the key is multi-Region; may include the key itself. */
  readonly related?: readonly KeyRef[]
  /** The HSM cluster of its key store. */
  readonly clusterId?: string | undefined
}

/** Builds the metadata of a key, with exactly the members that AWS sends. */
export function keyMetadata(
  key: KeyRecord,
  arn: (key: KeyRef) => string,
  { related = [], clusterId }: AroundKey = {},
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
    ...customKeyStore(key, clusterId),
    ...expiration(key),
    KeyManager: key.manager,
    // AWS sends the deprecated member with every spec, even those that its enum lacks.
    CustomerMasterKeySpec: key.spec as CustomerMasterKeySpec,
    KeySpec: key.spec,
    ...algorithmList(key),
    MultiRegion: key.primaryRegion !== undefined,
    ...multiRegion(key, arn, related),
    ...currentMaterial(key),
  }
}

function customKeyStore(
  { customKeyStoreId, xksKeyId }: KeyRecord,
  clusterId: string | undefined,
): Pick<KeyMetadata, 'CustomKeyStoreId' | 'CloudHsmClusterId' | 'XksKeyConfiguration'> {
  return {
    ...(customKeyStoreId !== undefined && { CustomKeyStoreId: customKeyStoreId }),
    ...(clusterId !== undefined && { CloudHsmClusterId: clusterId }),
    ...(xksKeyId !== undefined && { XksKeyConfiguration: { Id: xksKeyId } }),
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

/** AWS omits it for a replica that is still being created. */
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

/** The algorithms of a key, under the member name for its usage. */
export function algorithmList(
  key: KeyRecord,
): Pick<KeyMetadata, (typeof algorithmMembers)[KeyUsage]> {
  return { [algorithmMembers[key.usage]]: [...algorithmNames(key.spec, key.usage)] }
}

/** The deletion date if it is known; the window while a primary waits for its replicas; never both. */
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

/** Expiry of imported material, while all of it is present. */
function expiration(key: KeyRecord): Pick<KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  const { materialExpirationModel: model, materialExpiresAt: at } = key
  return {
    ...(model !== undefined && { ExpirationModel: model }),
    ...(at !== undefined && { ValidTo: new Date(at) }),
  }
}

/** `keyMetadata` of an audit record: AWS's date format and casing, for example `aWSAccountId`. */
export function auditedMetadata(metadata: KeyMetadata): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      lowerFirst(name),
      value instanceof Date ? auditDate(value) : value,
    ]),
  )
}
