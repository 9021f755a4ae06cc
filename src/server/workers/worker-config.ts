/** The settings of a worker, in a form that can be sent to its thread: without functions. @module */
import type { Config } from '../../config.ts'
import { createRegionTable, type Region } from '../../model/region.ts'
import { createQuotas } from '../../throttle/profiles.ts'

/** Without the settings that only worker 0 needs: root credentials, the token of `/metrics`. */
export type WorkerConfig = Pick<
  Config,
  | 'listen'
  | 'tls'
  | 'trustedProxies'
  | 'dataDirectory'
  | 'region'
  | 'regions'
  | 'logLevel'
  | 'auditSegmentSeconds'
  | 'delivery'
  | 'eventsWebhook'
  | 'quotas'
  | 'webIdentityHosts'
  | 'attestationRoots'
  | 'workers'
  | 'cachedKeys'
  | 'externalProxies'
  | 'hsmClusters'
  | 'sealOptions'
>

export interface SentConfig extends Omit<WorkerConfig, 'regions' | 'quotas'> {
  readonly regions: readonly Region[]
  readonly quotas: Pick<Config['quotas'], 'profile' | 'overrides'>
}

export function sentConfig(config: WorkerConfig): SentConfig {
  const { listen, tls, trustedProxies, dataDirectory, region, regions, quotas, logLevel } = config
  const {
    auditSegmentSeconds,
    delivery,
    eventsWebhook,
    webIdentityHosts,
    attestationRoots,
    workers,
    cachedKeys,
    externalProxies,
    hsmClusters,
    sealOptions,
  } = config
  return {
    listen,
    ...(tls && { tls }),
    trustedProxies,
    dataDirectory,
    region,
    regions: regions.names.map((name) => ({ name, partition: regions.partitionOf(name) ?? '' })),
    logLevel,
    auditSegmentSeconds,
    delivery,
    ...(eventsWebhook && { eventsWebhook }),
    quotas: { profile: quotas.profile, overrides: quotas.overrides },
    webIdentityHosts,
    attestationRoots,
    workers,
    cachedKeys,
    externalProxies,
    hsmClusters,
    sealOptions,
  }
}

export function receivedConfig({ regions, quotas, ...config }: SentConfig): WorkerConfig {
  return {
    ...config,
    regions: createRegionTable(regions),
    quotas: createQuotas(quotas.profile, quotas.overrides),
  }
}
