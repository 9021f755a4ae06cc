/**
 * Checks of the cluster that an account names, without a log-in.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/create-keystore.html
 * @module
 */
import { KmsError } from '../../errors.ts'
import { TokenError } from '../../pkcs11/token-error.ts'
import { probeToken } from '../../pkcs11/token.ts'
import { invalidCluster } from './hsm-failure.ts'
import type { HsmCluster, HsmClusters } from './settings.ts'
import { hsmCallMsMax, type StoreTokensDependencies } from './store-tokens.ts'

export interface ClusterChecks {
  /**
   * The cluster of the settings.
   * @throws {KmsError} `CloudHsmClusterNotFoundException`, also for clusters of other accounts
   */
  find(clusterId: string, accountId: string): HsmCluster
  /** The cluster of the settings; undefined if there is none. */
  named(clusterId: string): HsmCluster | undefined
  /** @throws {KmsError} `CloudHsmClusterInvalidConfigurationException` */
  requireHsms(cluster: HsmCluster, hsmsMin: number): void
  /**
   * Looks for the cluster's token.
   * @throws {KmsError} `CloudHsmClusterNotActiveException`,
   *   `CloudHsmClusterInvalidConfigurationException`
   */
  requireActive(cluster: HsmCluster): Promise<void>
  /** The same for ConnectCustomKeyStore: other failures show in the state of the connection. */
  requireInitialized(cluster: HsmCluster): Promise<void>
}

export function createClusterChecks({
  clusters,
  environment,
  onFailure,
}: Pick<StoreTokensDependencies, 'environment'> & {
  readonly clusters: HsmClusters
  readonly onFailure: (error: TokenError, where: { readonly clusterId: string }) => void
}): ClusterChecks {
  // An account cannot start more than one process for a cluster at once.
  const running = new Map<string, Promise<boolean>>()
  const isInitialized = ({ clusterId, place }: HsmCluster): Promise<boolean> => {
    const known = running.get(clusterId)
    if (known !== undefined) return known
    const probe = probeToken(place, { environment, callMsMax: hsmCallMsMax })
      .then((found) => found.isInitialized)
      .finally(() => running.delete(clusterId))
    running.set(clusterId, probe)
    return probe
  }
  const requireInitialized = async (cluster: HsmCluster): Promise<void> => {
    if (await isInitialized(cluster)) return
    throw new KmsError(
      'CloudHsmClusterNotActiveException',
      `The CloudHSM cluster ${cluster.clusterId} is not active. Initialize and activate it.`,
    )
  }
  return {
    find(clusterId, accountId) {
      const cluster = clusters.get(clusterId)
      if (cluster !== undefined && (cluster.accountId ?? accountId) === accountId) return cluster
      throw new KmsError(
        'CloudHsmClusterNotFoundException',
        `AWS KMS cannot find the CloudHSM cluster ${clusterId}.`,
      )
    },
    named: (clusterId) => clusters.get(clusterId),
    requireHsms({ clusterId, hsms }, hsmsMin) {
      if (hsms >= hsmsMin) return
      throw invalidCluster(
        `The CloudHSM cluster ${clusterId} has ${hsms} active HSMs, and this operation needs ${hsmsMin}.`,
      )
    },
    async requireActive(cluster) {
      try {
        await requireInitialized(cluster)
      } catch (cause) {
        if (!(cause instanceof TokenError)) throw cause
        onFailure(cause, cluster)
        throw invalidCluster(whyUnusable(cluster, cause), { cause })
      }
    },
    async requireInitialized(cluster) {
      try {
        await requireInitialized(cluster)
      } catch (cause) {
        if (!(cause instanceof TokenError)) throw cause
      }
    },
  }
}

function whyUnusable({ clusterId }: HsmCluster, { code, message }: TokenError): string {
  // Only the operator can help, and the account learns whom to ask for what.
  if (code === 'NOT_INSTALLED') return `Trent cannot use HSMs: ${message}.`
  if (code === 'CKR_TOKEN_NOT_PRESENT') {
    return `The CloudHSM cluster ${clusterId} has no active HSM.`
  }
  return `KMS cannot communicate with the CloudHSM cluster ${clusterId}.`
}
