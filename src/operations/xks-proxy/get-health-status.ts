/**
 * GetHealthStatus of the XKS proxy API — tells that the proxy works. That an answer leaves shows it: the
 * database, the keys and the audit journal were needed for it.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { healthMetadata, xksOperation } from './request-metadata.ts'

export interface ProxyHealth {
  readonly xksProxyFleetSize: number
  readonly xksProxyVendor: string
  readonly xksProxyModel: string
  readonly ekmVendor: string
  readonly ekmFleetDetails: readonly {
    readonly id: string
    readonly model: string
    readonly healthStatus: 'ACTIVE' | 'DEGRADED' | 'UNAVAILABLE'
  }[]
}

/** The specification allows no more. */
const managersMax = 10

export const getHealthStatus = xksOperation<ProxyHealth>()({
  name: 'GetHealthStatus',
  input: { requestMetadata: healthMetadata },
  keys: {},
  audit: ['requestMetadata'],
  throws: [
    'UnknownOperationException',
    'InvalidSignatureException',
    'ValidationException',
    'ThrottlingException',
  ],
  async run(_call, { fleet }) {
    const nodes = await fleet()
    return {
      xksProxyFleetSize: nodes.length,
      xksProxyVendor: 'Trent',
      xksProxyModel: 'Trent',
      ekmVendor: 'Trent',
      ekmFleetDetails: nodes
        .slice(0, managersMax)
        .map(({ id, health }) => ({ id, model: 'Trent', healthStatus: health })),
    }
  },
})
