/**
 * GetQuotas — `trent quotas`: returns the quotas of an account in a Region, and their usage.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { text } from '../../model/shape.ts'
import { trentOperation } from './trent-operation.ts'
import type { RequestQuota } from '../contract/dependencies.ts'

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

export const getQuotas = trentOperation<QuotasAnswer>()({
  name: 'GetQuotas',
  door: 'operator',
  input: {
    accountId: text({ pattern: '^[0-9]{12}$' }),
    region: text({ min: 1, max: 64 }),
  },
  permissions: () => [{ action: 'trent:GetQuotas' }],
  readOnly: true,
  audit: ['accountId', 'region'],
  throws: ['ValidationException', 'NotFoundException', 'AccessDeniedException'],
  async run({ input, caller, region: ownRegion }, { store, quotas }) {
    const { accountId = caller.accountId, region = ownRegion } = input
    if ((await store.findAccount(accountId)) === undefined) {
      throw new KmsError('NotFoundException', `there is no account ${accountId}`)
    }
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
  },
})
