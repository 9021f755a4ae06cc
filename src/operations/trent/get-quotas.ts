/**
 * GetQuotas — `trent quotas`: returns the quotas of an account in a Region, and their usage.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { text } from '../../model/shape.ts'
import { trentOperation } from './trent-operation.ts'
import { shownQuotas, type QuotasAnswer } from './shown-quotas.ts'

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
    return shownQuotas({ accountId, region }, { store, quotas })
  },
})
