/**
 * Checks of HSM clusters for key stores of type AWS_CLOUDHSM.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/keystore-cloudhsm.html
 * @module
 */
import { KmsError } from '../../errors.ts'
import { fingerprintOf, type HsmCluster } from '../../keystores/hsm/settings.ts'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import type { StoreReads } from '../../store/store.ts'

/** Active HSMs that creating or changing a key store, or creating a key in it, needs. */
export const hsmsForChanges = 2
/** Active HSMs that a connection needs. */
export const hsmsForConnections = 1

/** What a cluster can be refused for. */
export const clusterErrors = [
  'CloudHsmClusterNotFoundException',
  'IncorrectTrustAnchorException',
  'CloudHsmClusterNotRelatedException',
  'CloudHsmClusterInUseException',
  'CloudHsmClusterInvalidConfigurationException',
  'CloudHsmClusterNotActiveException',
] as const

/** @throws {KmsError} `IncorrectTrustAnchorException` */
export function requireTrustAnchor({ clusterId, trustAnchor }: HsmCluster, given: string): void {
  if (fingerprintOf(given) === trustAnchor) return
  throw new KmsError(
    'IncorrectTrustAnchorException',
    `The trust anchor certificate is not that of the CloudHSM cluster ${clusterId}.`,
  )
}

/**
 * Checks that the cluster has the certificate of the store's present one.
 * @throws {KmsError} `CloudHsmClusterNotRelatedException`
 */
export function requireRelated(
  { clusterId, trustAnchor }: HsmCluster,
  { cluster }: CustomKeyStoreRecord,
): void {
  if (fingerprintOf(cluster?.trustAnchor ?? '') === trustAnchor) return
  throw new KmsError(
    'CloudHsmClusterNotRelatedException',
    `The CloudHSM cluster ${clusterId} does not share a backup history with the cluster of the custom ` +
      'key store.',
  )
}

/**
 * Checks that no other key store is in the cluster, or in one with the same certificate. AWS compares the key
 * stores of the account. For Trent a cluster has one `kmsuser`, and so one key store of all accounts and
 * Regions.
 * @throws {KmsError} `CloudHsmClusterInUseException`
 */
export async function requireFreeCluster(
  reads: Pick<StoreReads, 'listClusterStores'>,
  { clusterId, trustAnchor }: HsmCluster,
  own?: CustomKeyStoreRef,
): Promise<void> {
  for (const other of await reads.listClusterStores()) {
    if (own !== undefined && isSame(own, other)) continue
    const { cluster } = other
    if (cluster === undefined) continue
    if (cluster.clusterId !== clusterId && fingerprintOf(cluster.trustAnchor) !== trustAnchor)
      continue
    throw new KmsError(
      'CloudHsmClusterInUseException',
      `The CloudHSM cluster ${clusterId}, or one that shares its backup history, is already associated ` +
        'with a custom key store.',
    )
  }
}

function isSame(one: CustomKeyStoreRef, other: CustomKeyStoreRef): boolean {
  return (
    one.accountId === other.accountId &&
    one.region === other.region &&
    one.storeId === other.storeId
  )
}

/** The members that audit records of operations on a key store have. */
export function recordedStore({
  name,
  cluster,
}: CustomKeyStoreRecord): Readonly<Record<string, string>> {
  return { customKeyStoreName: name, ...(cluster && { clusterId: cluster.clusterId }) }
}
