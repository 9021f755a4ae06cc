/** The quotas of an account in a Region with their usage, as operators and the account see them. @module */
import type { OperationDependencies, RequestQuota } from '../contract/dependencies.ts'

interface ResourceQuota {
  readonly name: string
  /** Absent without a limit. */
  readonly limit?: number
  /** Absent if the usage is counted for each key and not for the account. */
  readonly used?: number
}

export interface QuotasAnswer {
  readonly profile: string
  readonly accountId: string
  readonly region: string
  readonly resources: readonly ResourceQuota[]
  readonly requests: readonly RequestQuota[]
}

export async function shownQuotas(
  { accountId, region }: Pick<QuotasAnswer, 'accountId' | 'region'>,
  { store, quotas }: Pick<OperationDependencies, 'store' | 'quotas'>,
): Promise<QuotasAnswer> {
  const used: Readonly<Record<string, number>> = {
    keys: await store.countKeys(accountId, region),
    aliases: await store.countAllAliases(accountId, region),
  }
  const resources = Object.entries(quotas.resources).map(([name, limit]) => ({
    name,
    ...(limit !== Infinity && { limit }),
    ...(used[name] !== undefined && { used: used[name] }),
  }))
  const requests = quotas.rates(accountId, region)
  return { profile: quotas.profile, accountId, region, resources, requests }
}
